-- name: add
INSERT INTO platform.trail (operator, host, command) VALUES ($1, $2, $3)

-- name: read
SELECT at, operator, host, command FROM platform.trail WHERE $1::timestamptz IS NULL OR at >= $1 ORDER BY row_id
