-- name: newest_checkpoint
-- What the registrar signed last; the log may have grown since.
SELECT note FROM log.checkpoint ORDER BY size DESC LIMIT 1
