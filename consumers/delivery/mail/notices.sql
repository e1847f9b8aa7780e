-- name: campaign
-- The state of a campaign now.
SELECT c.campaign_id, c.urgency, c.due_on, c.brief, c.channels, c.tv, c.radio, c.print,
       c.acknowledged_index, c.acknowledged_by, c.completed_index,
       v.suspended_from IS NOT NULL AS paused,
       s.name AS service_name, s.url AS service_url, s.launched_on
FROM campaigns.campaign c
LEFT JOIN campaigns.coverage v ON v.service_id = c.service_id
LEFT JOIN campaigns.service s ON s.service_id = c.service_id
WHERE c.campaign_id = $1 AND c.triggered_index IS NOT NULL

-- name: endpoint
SELECT endpoint_id, disabled_reason FROM delivery.endpoint WHERE endpoint_id = $1 AND disabled_at IS NOT NULL

-- name: given_to_team
-- Whether an earlier message told the team the same by e-mail, for another subscription.
SELECT EXISTS (SELECT FROM delivery.message b
               WHERE b.route = 'email' AND b.agency = $1 AND b.team = $2 AND b.kind = $3 AND b.event_id = $4
                   AND b.replay = $5 AND b.message_id < $6 AND b.state <> 'cancelled')
