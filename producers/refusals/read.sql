-- name: one
-- A refusal, the role of its agency, and the original record, if it was kept.
SELECT f.index, f.agency, a.role, d.index IS NOT NULL AS is_kept, d.value, d.headers
FROM log.refusal f
LEFT JOIN log.dead_letter d ON d.index = f.index
LEFT JOIN platform.agency a ON a.code = f.agency
WHERE f.index = $1

-- name: redrives
-- The records sent again for a refusal, and the entries that accepted them.
SELECT r.event_id, r.sent_at, e.index AS accepted_index
FROM platform.redrive r
LEFT JOIN log.event_id e ON e.claim = r.claim
    AND (e.identity = r.identity OR r.identity = '\x00000000000000000000000000000000' AND e.index > r.refusal_index)
WHERE r.refusal_index = $1
ORDER BY r.sent_at, r.event_id

-- name: record
-- Written before the event is sent: a link to an event that was never sent is harmless, a missing link is lost.
INSERT INTO platform.redrive (refusal_index, claim, identity, event_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
