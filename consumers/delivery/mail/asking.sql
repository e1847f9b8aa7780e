-- name: ask
-- One letter to the address that waits longest, and the message's id. Bounds: one a day for an address, from all teams together; so
-- many a day for a team ($2) and an agency ($3); three in a row for a team's address, then none for 30 days; none to a reader who stopped
-- letters of the agency. An address is asked when it is added, when it is saved again, and in the last week of its use.
WITH due AS (
    SELECT r.recipient_id
    FROM delivery.contact c
    JOIN delivery.team t USING (agency, team)
    JOIN delivery.recipient r USING (agency, team, address_sha256)
    WHERE t.closed_at IS NULL AND r.confirmed_at IS NULL
        AND NOT EXISTS (SELECT FROM delivery.agency_domain d WHERE (d.agency, d.domain) = (c.agency, c.domain))
        AND (r.letter_at IS NULL OR r.letter_at < c.added_at
             OR r.letter_at < r.usable_until - interval '7 days'
                AND r.usable_until BETWEEN $1 AND $1 + interval '7 days')
        AND (r.letters % 3 > 0 OR r.letters = 0 OR r.letter_at < $1 - interval '30 days')
        AND NOT EXISTS (SELECT FROM delivery.recipient o WHERE o.address_sha256 = r.address_sha256
                            AND (o.letter_at > $1 - interval '1 day' OR o.agency = r.agency AND o.stopped_at IS NOT NULL))
        AND $2 > (SELECT count(*) FROM delivery.recipient o
                  WHERE o.agency = r.agency AND o.team = r.team AND o.letter_at > $1 - interval '1 day')
        AND $3 > (SELECT count(*) FROM delivery.recipient o
                  WHERE o.agency = r.agency AND o.letter_at > $1 - interval '1 day')
    ORDER BY c.added_at, r.recipient_id LIMIT 1
), asked AS (
    UPDATE delivery.recipient r SET letters = letters + 1, letter_at = $1
    FROM due WHERE r.recipient_id = due.recipient_id
    RETURNING r.recipient_id, r.agency, r.team, r.letters
)
INSERT INTO delivery.message (route, agency, team, kind, event_id, lane, next_attempt_at, created_at)
SELECT 'email', agency, team, $4, 'confirm.' || recipient_id || '.' || letters, 'confirm/' || recipient_id,
    $1::timestamptz, $1::timestamptz
FROM asked
RETURNING message_id
