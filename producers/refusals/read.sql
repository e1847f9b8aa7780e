-- name: list
-- In log order, each with the entry that corrected it: a record sent again for it, or a later event with the same id.
SELECT f.index, f.agency, f.address, f.claimed_id, f.claimed_type, f.errors, c.index AS accepted_index
FROM log.refusal f CROSS JOIN LATERAL (
    SELECT min(e.index) AS index FROM log.event_id e
    WHERE (e.claim, e.identity) IN (SELECT r.claim, r.identity FROM platform.redrive r WHERE r.refusal_index = f.index)
       OR e.index > f.index AND e.claim = substr(sha256(
            convert_to('urn:yesser:agency:' || f.agency, 'UTF8') || '\x00'::bytea || convert_to(f.claimed_id, 'UTF8')), 1, 16)
) c
WHERE ($1::text IS NULL OR f.agency = $1) AND ($2::bigint IS NULL OR f.index < $2) AND NOT ($3 AND c.index IS NOT NULL)
ORDER BY f.index

-- name: one
-- A refusal, the role of its agency, and the original record, if it was kept.
SELECT f.index, f.agency, a.role, f.address, f.claimed_id, f.claimed_type, f.errors,
       d.index IS NOT NULL AS is_kept, d.value, d.headers
FROM log.refusal f
LEFT JOIN log.dead_letter d ON d.index = f.index
LEFT JOIN platform.agency a ON a.code = f.agency
WHERE f.index = $1

-- name: redrives
-- The records sent again for a refusal, and the entries that accepted them.
SELECT r.event_id, r.sent_at, e.index AS accepted_index
FROM platform.redrive r
LEFT JOIN log.event_id e ON e.claim = r.claim AND e.identity = r.identity
WHERE r.refusal_index = $1
ORDER BY r.sent_at, r.event_id

-- name: holder
-- The event that has this source and id.
SELECT index, identity FROM log.event_id WHERE claim = $1

-- name: record
-- Written before the event is sent: a link to an event that was never sent is harmless, a missing link is lost.
INSERT INTO platform.redrive (refusal_index, claim, identity, event_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
