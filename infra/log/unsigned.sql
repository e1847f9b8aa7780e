-- name: signed
-- The size of the newest checkpoint, if the log has grown since and the checkpoint is older than $1 seconds.
SELECT coalesce(c.size, 0) AS signed
FROM log.state s LEFT JOIN LATERAL (SELECT size, signed_at FROM log.checkpoint ORDER BY size DESC LIMIT 1) c ON true
WHERE s.size > coalesce(c.size, 0)
  AND coalesce(c.signed_at, '-infinity') < clock_timestamp() - $1::double precision * interval '1 s'

-- name: is_old
-- The first entry after the checkpoint: a log that was idle grew just now.
SELECT $1::text::timestamptz < clock_timestamp() - $2::double precision * interval '1 s'
