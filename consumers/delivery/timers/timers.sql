-- name: clock
SELECT clock_timestamp()

-- name: position
-- Of the campaigns' rows; none before they exist in this release's version ($1). Rows of another one are being rebuilt.
SELECT position FROM platform.position
WHERE consumer = 'campaigns' AND rules_version = $1 AND to_regclass('campaigns.campaign') IS NOT NULL

-- name: overdue
-- Campaigns due before $1 that are not escalated, each once: those due from $2 on, and those whose trigger came into the log
-- at entry $3 or later. In the order of their due dates, after ($4, $5).
SELECT c.campaign_id, c.rule, c.rules_version, c.cause_index, c.kind, c.owner, c.service_id, c.channels, c.due_on, c.brief,
       c.acknowledged_index, c.completed_index, s.suspended_from,
       coalesce((SELECT jsonb_object_agg(a.channel, a.first_index)
                 FROM (SELECT channel, min(index) AS first_index FROM campaigns.airing
                       WHERE campaign_id = c.campaign_id GROUP BY channel) a), '{}') AS aired
FROM (
    SELECT campaign_id FROM campaigns.campaign WHERE due_on >= $2 AND due_on < $1
    UNION
    SELECT campaign_id FROM campaigns.route WHERE index >= $3 AND type = 'campaign.triggered'
) found
JOIN campaigns.campaign c USING (campaign_id)
LEFT JOIN campaigns.coverage s ON s.service_id = c.service_id
WHERE c.due_on < $1 AND c.triggered_index IS NOT NULL AND NOT c.escalated AND (c.due_on, c.campaign_id) > ($4, $5)
ORDER BY c.due_on, c.campaign_id LIMIT $6

-- name: known
-- Those of the events that are in the log, by claim, or on their way to it, by id.
SELECT e.id FROM unnest($1::text[], $2::bytea[]) AS e(id, claim)
WHERE EXISTS (SELECT FROM log.event_id k WHERE k.claim = e.claim)
   OR EXISTS (SELECT FROM platform.outbox o WHERE o.event_id = e.id)
