-- name: position
SELECT position FROM platform.position WHERE consumer = $1

-- name: rules_version
SELECT rules_version FROM platform.position WHERE consumer = $1

-- name: swapped
-- In the transaction that swaps: from here on the rows are of these rules.
UPDATE platform.position SET rules_version = $2 WHERE consumer = $1

-- name: locked_position
-- Held until the end of the transaction: the live consumer cannot move on while its tables are compared and swapped.
SELECT position FROM platform.position WHERE consumer = $1 FOR UPDATE

-- name: schema_exists
SELECT to_regnamespace($1) IS NOT NULL

-- name: lock
-- One rebuild of a read model at a time, as long as the session lasts.
SELECT pg_try_advisory_lock($1, hashtext($2))
