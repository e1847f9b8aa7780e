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
-- The digest of the Sunday whose 08:00 is $1, for each team with a subscription by e-mail that was there by then.
INSERT INTO delivery.message (route, agency, team, kind, event_id, lane, next_attempt_at, created_at)
SELECT 'email', t.agency, t.team, 'digest', 'digest.' || $2, 'digest', $3::timestamptz, $3::timestamptz
FROM delivery.team t
WHERE t.closed_at IS NULL AND t.created_at <= $1
    AND EXISTS (SELECT FROM delivery.subscription s
                WHERE s.agency = t.agency AND s.team = t.team AND s.route = 'email' AND s.ended_at IS NULL)
ON CONFLICT DO NOTHING
