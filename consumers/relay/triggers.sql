-- name: next
-- Always the live table, never the schema of a rebuild.
SELECT index, campaign_id FROM campaigns.route
WHERE type = 'campaign.triggered'
    AND index >= coalesce((SELECT next_index FROM platform.route_position WHERE route = $1), 0)
ORDER BY index LIMIT $2

-- name: sent
-- Only for the relay of this epoch, and only forward.
INSERT INTO platform.route_position AS p (route, next_index)
SELECT $1, $2 WHERE EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $3)
ON CONFLICT (route) DO UPDATE SET next_index = excluded.next_index WHERE p.next_index < excluded.next_index

-- name: waiting
SELECT count(*) FROM campaigns.route
WHERE type = 'campaign.triggered'
    AND index >= coalesce((SELECT next_index FROM platform.route_position WHERE route = $1), 0)
