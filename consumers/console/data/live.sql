-- name: position
-- The entries that every read model shows.
SELECT min(position) FROM platform.position

-- name: positions
SELECT consumer, position FROM platform.position ORDER BY consumer
