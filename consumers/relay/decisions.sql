-- name: held
-- What a person decides, oldest cause first. What came into the log meanwhile ($1: the claims' prefix) needs nobody.
SELECT event_id, key, value, cause_index, held_at FROM platform.outbox h
WHERE held_at IS NOT NULL AND released_at IS NULL AND discarded_at IS NULL AND NOT EXISTS (
    SELECT FROM log.event_id e WHERE e.claim = substring(sha256($1::bytea || convert_to(h.event_id, 'UTF8')) FOR 16)
)
ORDER BY cause_index, event_id

-- name: count_held
SELECT count(*) FROM platform.outbox h
WHERE held_at IS NOT NULL AND released_at IS NULL AND discarded_at IS NULL AND NOT EXISTS (
    SELECT FROM log.event_id e WHERE e.claim = substring(sha256($1::bytea || convert_to(h.event_id, 'UTF8')) FOR 16)
)

-- name: send
-- The relay sends the row as its process decided it: nobody writes it again.
UPDATE platform.outbox SET released_at = now()
WHERE event_id = ANY($1::text[]) AND held_at IS NOT NULL AND discarded_at IS NULL

-- name: discard
-- The rows stay: a timer would decide the same again.
UPDATE platform.outbox SET discarded_at = now()
WHERE event_id = ANY($1::text[]) AND held_at IS NOT NULL AND released_at IS NULL
