-- name: positions
-- Of each consumer, whether its schema exists, and its position; one that never ran has no row.
SELECT c.name, to_regnamespace(c.schema) IS NOT NULL AS is_there, coalesce(p.position, 0) AS position
FROM unnest($1::text[], $2::text[]) AS c (name, schema)
LEFT JOIN platform.position p ON p.consumer = c.name
