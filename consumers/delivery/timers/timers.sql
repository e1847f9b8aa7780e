-- name: position
-- Of the campaigns' rows; none before they exist in this release's version ($1). Rows of another one are being rebuilt.
SELECT position FROM platform.position
WHERE consumer = 'campaigns' AND rules_version = $1 AND to_regclass('campaigns.campaign') IS NOT NULL

-- name: due
-- Campaigns due from $1 to the day before $2 that are not escalated, by due date, after ($3, $4).
SELECT due_on, campaign_id FROM campaigns.campaign
WHERE due_on >= $1 AND due_on < $2 AND (due_on, campaign_id) > ($3, $4) AND triggered_index IS NOT NULL AND NOT escalated
ORDER BY due_on, campaign_id LIMIT $5

-- name: late
-- Campaigns whose trigger came into the log at entry $1 or later, after their due date: before $2.
SELECT c.due_on, c.campaign_id FROM campaigns.route r JOIN campaigns.campaign c USING (campaign_id)
WHERE r.index >= $1 AND r.type = 'campaign.triggered' AND c.due_on < $2 AND NOT c.escalated

-- name: overdue
-- What is decided on, of these campaigns, by due date.
SELECT c.campaign_id, c.rule, c.rules_version, c.cause_index, c.kind, c.owner, c.service_id, c.channels, c.due_on, c.brief,
       c.urgency, c.acknowledged_index, c.completed_index, s.suspended_from,
       coalesce((SELECT jsonb_object_agg(a.channel, a.first_index)
                 FROM (SELECT channel, min(index) AS first_index FROM campaigns.airing
                       WHERE campaign_id = c.campaign_id GROUP BY channel) a), '{}') AS aired
FROM campaigns.campaign c LEFT JOIN campaigns.coverage s ON s.service_id = c.service_id
WHERE c.campaign_id = ANY($1::text[])
ORDER BY c.due_on, c.campaign_id

-- name: known
-- Those of the events that are in the log, by claim, or in the outbox, by id: on their way, or held or discarded by a person.
SELECT e.id FROM unnest($1::text[], $2::bytea[]) AS e(id, claim)
WHERE EXISTS (SELECT FROM log.event_id k WHERE k.claim = e.claim)
   OR EXISTS (SELECT FROM platform.outbox o WHERE o.event_id = e.id)
