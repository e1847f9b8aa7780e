-- name: of_team
-- Campaigns of the team's agency in the log whose triggers a subscription of the team takes (of route $3; NULL: of any route);
-- all of them where the team has no subscription. Completed ones only with a due date from $4 on.
SELECT c.campaign_id, c.due_on, c.brief, s.name AS service_name, greatest(c.last_index, s.last_index) AS last_index,
       c.acknowledged_by, c.completed_index IS NOT NULL AS is_completed,
       c.completed_index IS NULL AND v.suspended_from IS NOT NULL AS is_paused, coalesce(s.retired, false) AS is_retired,
       c.channels, c.tv, c.radio, c.print
FROM campaigns.campaign c
LEFT JOIN campaigns.coverage v ON v.service_id = c.service_id
LEFT JOIN campaigns.service s ON s.service_id = c.service_id
WHERE c.triggered_index IS NOT NULL AND c.owner = $1 AND (c.completed_index IS NULL OR c.due_on >= $4)
    AND (EXISTS (SELECT FROM delivery.subscription b
                 WHERE b.agency = $1 AND b.team = $2 AND b.ended_at IS NULL AND ($3::text IS NULL OR b.route = $3)
                     AND delivery.names_campaigns(b.types)
                     AND (b.rules IS NULL OR c.rule = ANY(b.rules))
                     AND (b.services IS NULL OR c.service_id = ANY(b.services))
                     AND (b.channels IS NULL OR c.channels ?| b.channels))
         OR NOT EXISTS (SELECT FROM delivery.subscription b WHERE b.agency = $1 AND b.team = $2 AND b.ended_at IS NULL))
ORDER BY c.due_on, c.campaign_id LIMIT $5

-- name: team
SELECT agency, team, name, language FROM delivery.team WHERE agency = $1 AND team = $2 AND closed_at IS NULL
