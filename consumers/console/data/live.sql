-- name: positions
SELECT consumer, position FROM platform.position ORDER BY consumer

-- name: size
SELECT size FROM log.state
