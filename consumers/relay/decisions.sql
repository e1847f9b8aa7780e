-- name: held
-- What a person decides, oldest cause first. What came into the log meanwhile ($1: the claims' prefix) needs nobody.
SELECT event_id, key, value, cause_index, held_at FROM platform.held_event h
WHERE discarded_at IS NULL AND NOT EXISTS (
    SELECT FROM log.event_id e WHERE e.claim = substring(sha256($1::bytea || convert_to(h.event_id, 'UTF8')) FOR 16)
)
ORDER BY cause_index, event_id

-- name: count_held
SELECT count(*) FROM platform.held_event h
WHERE discarded_at IS NULL AND NOT EXISTS (
    SELECT FROM log.event_id e WHERE e.claim = substring(sha256($1::bytea || convert_to(h.event_id, 'UTF8')) FOR 16)
)

-- name: send
-- To the outbox, as what a person decided: the relay sends it.
WITH sent AS (
    DELETE FROM platform.held_event WHERE event_id = ANY($1::text[]) AND discarded_at IS NULL
    RETURNING event_id, key, value, cause_index
)
INSERT INTO platform.outbox (event_id, key, value, cause_index)
SELECT event_id, key, value, cause_index FROM sent ORDER BY cause_index, event_id

-- name: discard
-- The rows stay: a timer would decide the same again.
UPDATE platform.held_event SET discarded_at = now() WHERE event_id = ANY($1::text[]) AND discarded_at IS NULL
