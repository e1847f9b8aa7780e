-- name: position
-- No subscription is added from here to the end of the round, so that each begins at an index that the router has not
-- passed.
WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(7370019))
SELECT coalesce(p.next_index, 0) FROM locked LEFT JOIN delivery.position p ON p.part = 'router'

-- name: are_campaigns_there
-- Their consumer creates its tables when it first runs.
SELECT to_regclass('campaigns.campaign') IS NOT NULL AND to_regclass('campaigns.route') IS NOT NULL

-- name: move
INSERT INTO delivery.position (part, next_index) VALUES ('router', $1)
ON CONFLICT (part) DO UPDATE SET next_index = excluded.next_index

-- name: entries
-- Always the live tables, never the schema of a rebuild.
SELECT r.index, r.campaign_id, r.type, r.owner, r.service_id, c.rule, c.channels
FROM campaigns.route r JOIN campaigns.campaign c USING (campaign_id)
WHERE r.index >= $1 AND r.index < coalesce($2, 9223372036854775807) AND r.owner = coalesce($3, r.owner)
ORDER BY r.index LIMIT $4

-- name: subscriptions
SELECT s.subscription_id, s.agency, s.team, s.route, s.endpoint_id, s.rules, s.services, s.channels, s.types, s.from_index,
    e.disabled_at IS NOT NULL AS is_disabled, s.backfill_to, s.ended_at, s.seal
FROM delivery.subscription s LEFT JOIN delivery.endpoint e USING (endpoint_id)
WHERE s.ended_at IS NULL
ORDER BY s.subscription_id

-- name: backfills
-- Subscriptions to entries from before them that are not all sent, in turn.
SELECT subscription_id, backfill_next, backfill_to FROM delivery.subscription
WHERE ended_at IS NULL AND backfill_next < backfill_to ORDER BY backfill_next, subscription_id

-- name: move_backfill
UPDATE delivery.subscription SET backfill_next = $2 WHERE subscription_id = $1

-- name: add
-- What is already there is not added again. A message to a disabled endpoint is kept, and can be redelivered.
INSERT INTO delivery.message (
    subscription_id, route, agency, team, endpoint_id, kind, event_id, log_index, campaign_id, lane, replay, state, ended_at
)
SELECT n.*, CASE WHEN n.state = 'cancelled' THEN clock_timestamp() END
FROM unnest(
    $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
    $10::text[], $11::boolean[], $12::text[]
) AS n (subscription_id, route, agency, team, endpoint_id, kind, event_id, log_index, campaign_id, lane, replay, state)
ON CONFLICT (subscription_id, kind, event_id) WHERE NOT replay DO NOTHING
