-- name: version
SELECT rules_version AS number, fold_sha256 AS sha256 FROM platform.position WHERE consumer = $1

-- name: session_exists
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)

-- name: schema_exists
SELECT to_regnamespace($1) IS NOT NULL

-- name: lock
-- One rebuild of a read model at a time, until the session ends.
SELECT pg_try_advisory_lock($1, hashtext($2))
