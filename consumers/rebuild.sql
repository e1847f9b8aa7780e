-- name: position
SELECT position FROM platform.position WHERE consumer = $1

-- name: locked_position
-- Held until the end of the transaction: the live consumer cannot move on while its tables are compared and swapped.
SELECT position FROM platform.position WHERE consumer = $1 FOR UPDATE

-- name: schema_exists
SELECT to_regnamespace($1) IS NOT NULL

-- name: lock
-- One rebuild of a read model at a time, as long as the session lasts.
SELECT pg_try_advisory_lock($1, hashtext($2))
