-- name: checkpoint
-- The newest signed checkpoint, which may be some entries behind.
SELECT size, note FROM log.checkpoint ORDER BY size DESC LIMIT 1
