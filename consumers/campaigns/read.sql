-- name: awareness
-- Services ever launched, of any plan; a service is reached on a channel by an airing in a specific campaign of its own.
SELECT count(*) AS launched_services,
       count(*) FILTER (WHERE tv > 0) AS tv,
       count(*) FILTER (WHERE radio > 0) AS radio,
       count(*) FILTER (WHERE print > 0) AS print,
       count(*) FILTER (WHERE tv > 0 AND radio > 0 AND print > 0) AS on_all_three,
       (SELECT count(*) FROM campaign WHERE kind = 'general' AND triggered_index IS NOT NULL) AS general_campaigns,
       (SELECT coalesce(sum(reach), 0) FROM airing) AS reach
FROM coverage
WHERE launched_index IS NOT NULL

-- name: campaigns
-- Campaigns in the log, after $1, or $3 alone. The state and the pause are derived, not stored.
SELECT c.campaign_id, c.rule, c.kind, c.cause_index, c.owner, c.service_id, c.channels, c.due_on,
       CASE WHEN c.completed_index IS NOT NULL THEN 'completed'
            WHEN c.acknowledged_index IS NOT NULL THEN 'acknowledged'
            ELSE 'triggered' END AS state,
       c.completed_index IS NULL AND s.suspended_from IS NOT NULL AS paused,
       c.escalated, c.tv, c.radio, c.print,
       coalesce((SELECT sum(a.reach) FROM airing a WHERE a.campaign_id = c.campaign_id), 0) AS reach
FROM campaign c LEFT JOIN coverage s ON s.service_id = c.service_id
WHERE c.triggered_index IS NOT NULL AND c.campaign_id > $1 AND ($3::text IS NULL OR c.campaign_id = $3)
ORDER BY c.campaign_id LIMIT $2

-- name: decision
-- The platform's decision with its reason, and its later entries in the log.
SELECT rules_version, brief, reason, triggered_index, acknowledged_index, acknowledged_by, completed_index
FROM campaign WHERE campaign_id = $1

-- name: airings
SELECT airing_id, index, channel, outlet, aired_on, reach FROM airing WHERE campaign_id = $1 ORDER BY index
