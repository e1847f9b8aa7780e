-- name: positions
SELECT consumer, position FROM platform.position ORDER BY consumer
