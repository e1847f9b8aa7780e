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

-- name: next_of_agencies
-- What the topics of the agencies lack, but for the agencies $1: the oldest first, at most $3 of an agency and $4 in all. $2 and
-- the agency's code name a position.
SELECT r.owner, r.index, r.campaign_id
FROM platform.agency a CROSS JOIN LATERAL (
    SELECT owner, index, campaign_id FROM campaigns.route
    WHERE owner = a.code
        AND index >= coalesce((SELECT next_index FROM platform.route_position WHERE route = $2 || a.code), 0)
    ORDER BY index LIMIT $3
) r
WHERE a.code <> ALL($1::text[])
ORDER BY r.index LIMIT $4
