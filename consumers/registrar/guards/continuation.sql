-- name: last_note
SELECT note FROM log.checkpoint ORDER BY size DESC LIMIT 1

-- name: signed_size
SELECT max(size) FROM log.checkpoint
