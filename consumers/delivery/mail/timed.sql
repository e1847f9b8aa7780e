-- name: campaigns_position
-- How far the campaigns have been applied, the size of the log, and whether the campaigns have tables yet.
SELECT to_regclass('campaigns.campaign') IS NOT NULL AS exist,
       coalesce((SELECT position FROM platform.position WHERE consumer = 'campaigns'), 0) AS applied,
       (SELECT size FROM log.state) AS size

-- name: remind
-- A reminder for each team with a subscription by e-mail that takes the trigger of a campaign that is due on one of the days $1, is
-- not paused or completed, and lacks the acknowledgement or an airing on one of its channels. One for each team and due date.
INSERT INTO delivery.message (route, agency, team, kind, event_id, campaign_id, lane, next_attempt_at, created_at)
SELECT DISTINCT 'email', t.agency, t.team, 'reminder', 'reminder.' || c.campaign_id || '.' || c.due_on, c.campaign_id,
    coalesce('service/' || c.service_id, 'campaign/' || c.campaign_id), $2::timestamptz, $2::timestamptz
FROM campaigns.campaign c
LEFT JOIN campaigns.coverage v ON v.service_id = c.service_id
JOIN delivery.team t ON t.agency = c.owner AND t.closed_at IS NULL
JOIN delivery.subscription s ON s.agency = t.agency AND s.team = t.team AND s.route = 'email' AND s.ended_at IS NULL
WHERE c.due_on = ANY($1::text[]) AND c.triggered_index IS NOT NULL AND c.completed_index IS NULL
    AND v.suspended_from IS NULL
    AND (c.acknowledged_index IS NULL OR c.channels ? 'tv' AND c.tv = 0 OR c.channels ? 'radio' AND c.radio = 0
         OR c.channels ? 'print' AND c.print = 0)
    AND (s.rules IS NULL OR c.rule = ANY(s.rules))
    AND (s.services IS NULL OR c.service_id = ANY(s.services))
    AND (s.channels IS NULL OR c.channels ?| s.channels)
    AND (s.types IS NULL OR 'campaign.triggered' = ANY(s.types))
ON CONFLICT DO NOTHING

-- name: digest
-- The digest of the Sunday whose 08:00 is $1, for each team with a subscription to campaigns by e-mail that was there by then.
INSERT INTO delivery.message (route, agency, team, kind, event_id, lane, next_attempt_at, created_at)
SELECT 'email', t.agency, t.team, 'digest', 'digest.' || $2, 'digest', $3::timestamptz, $3::timestamptz
FROM delivery.team t
WHERE t.closed_at IS NULL AND t.created_at <= $1
    AND EXISTS (SELECT FROM delivery.subscription s
                WHERE s.agency = t.agency AND s.team = t.team AND s.route = 'email' AND s.ended_at IS NULL
                    AND delivery.names_campaigns(s.types))
ON CONFLICT DO NOTHING

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
