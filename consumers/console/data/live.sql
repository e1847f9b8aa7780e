-- name: position
-- The entries that every read model shows.
SELECT min(position) FROM platform.position
