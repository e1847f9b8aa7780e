-- name: newest_checkpoint
-- The latest checkpoint; the log may have grown since.
SELECT note FROM log.checkpoint ORDER BY size DESC LIMIT 1
