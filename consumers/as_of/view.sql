-- name: positions
-- Each consumer's position; one that never ran has no row.
SELECT consumer, position FROM platform.position WHERE consumer = ANY($1)

-- name: schema_exists
SELECT to_regnamespace($1) IS NOT NULL
