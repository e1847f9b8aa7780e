-- name: list
-- Refusals below an index ($2), the newest first, of one agency ($1) or all, and the entry that corrected each. With $3 only those that
-- nothing has corrected. Both are looked at as the log was at $4 entries. Of an event with free texts, sent again, the identity is
-- not known: it is 0.
SELECT f.index, f.agency, f.address, f.claimed_id, f.claimed_type, f.errors, c.index AS accepted_index
FROM log.refusal f CROSS JOIN LATERAL (
    SELECT min(e.index) AS index FROM log.event_id e
    WHERE e.index < $4 AND (
        (e.claim, e.identity) IN (SELECT r.claim, r.identity FROM platform.redrive r WHERE r.refusal_index = f.index)
        OR e.index > f.index AND e.claim IN (SELECT r.claim FROM platform.redrive r
            WHERE r.refusal_index = f.index AND r.identity = '\x00000000000000000000000000000000')
        OR e.index > f.index AND e.claim = substr(sha256(
            convert_to('urn:yesser:agency:' || f.agency, 'UTF8') || '\x00'::bytea || convert_to(f.claimed_id, 'UTF8')), 1, 16)
    )
) c
WHERE ($1::text IS NULL OR f.agency = $1) AND f.index < $2 AND f.index < $4 AND NOT ($3 AND c.index IS NOT NULL)
ORDER BY f.index DESC LIMIT $5

-- name: holder
-- The entry of an agency ($1) that has an id ($2).
SELECT index FROM log.event_id WHERE claim = substr(sha256(
    convert_to('urn:yesser:agency:' || $1::text, 'UTF8') || '\x00'::bytea || convert_to($2::text, 'UTF8')), 1, 16)

-- name: was_sent_again
-- Whether the entry $2 accepted a record that was sent again for the refusal $1.
SELECT EXISTS (SELECT FROM platform.redrive r JOIN log.event_id e ON e.claim = r.claim
                   AND (e.identity = r.identity OR r.identity = '\x00000000000000000000000000000000' AND e.index > r.refusal_index)
               WHERE r.refusal_index = $1 AND e.index = $2)

-- name: agency_names
SELECT code, name FROM platform.agency WHERE code = ANY($1)

-- name: kept_records
-- The kept bytes of an agency's refused records from an index on.
SELECT d.index, d.value FROM log.dead_letter d JOIN log.refusal r USING (index)
WHERE d.index >= $1 AND d.value IS NOT NULL AND r.agency = $2
ORDER BY d.index LIMIT $3
