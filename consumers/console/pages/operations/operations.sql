-- name: log
-- `outbox`: the platform's events that wait to be sent.
SELECT s.size, s.recorded, s.shipped_up_to, (SELECT count(*) FROM platform.outbox) AS outbox,
    c.size AS signed_size, c.signed_at, w.size AS cosigned_size
FROM log.state s LEFT JOIN LATERAL (SELECT size, signed_at FROM log.checkpoint ORDER BY size DESC LIMIT 1) c ON true
LEFT JOIN platform.cosigned_checkpoint w ON true

-- name: consumers
SELECT consumer, position, halted_reason, gaps_filled FROM platform.position ORDER BY consumer

-- name: growth
-- The log's size when each checkpoint was signed, newest first.
SELECT size, signed_at FROM log.checkpoint ORDER BY size DESC LIMIT $1

-- name: topics
-- Agencies whose topics are stopped.
SELECT a.code, a.name, p.next_offset, p.halted_reason, p.halted_at, p.paused_until, p.paused_reason
FROM platform.agency a JOIN log.read_position p ON p.topic = 'agency.' || a.code || '.events'
WHERE p.halted_reason IS NOT NULL OR p.paused_until IS NOT NULL ORDER BY a.code

-- name: refusals
-- Of the newest $1 refused records: by agency and code, the most first.
SELECT r.agency, error ->> 'code' AS code, count(DISTINCT r.index) AS refused, max(r.index) AS newest
FROM (SELECT agency, index, errors FROM log.refusal ORDER BY index DESC LIMIT $1) r, jsonb_array_elements(r.errors) error
GROUP BY 1, 2 ORDER BY refused DESC, 1, 2 LIMIT 50

-- name: deliveries
-- What waits by each route, of which 10,001 messages at most are counted.
SELECT route, count(*) AS waiting, min(created_at) AS oldest
FROM (VALUES ('email'), ('webhook')) AS r (route)
CROSS JOIN LATERAL (
    SELECT created_at FROM delivery.message m WHERE m.state = 'waiting' AND m.route = r.route
    ORDER BY message_id LIMIT 10001
) m
GROUP BY route ORDER BY route

-- name: endpoints
-- Webhooks that fail or get nothing.
SELECT endpoint_id, agency, team, url, created_at, failing_since, disabled_at, disabled_reason FROM delivery.endpoint
WHERE failing_since IS NOT NULL OR disabled_at IS NOT NULL ORDER BY coalesce(disabled_at, failing_since) DESC LIMIT 50

-- name: trail
-- A page of the trail, newest first: rows before the position $1, of the account, operator or role $2.
SELECT l.position, t.at, t.role, t.account, t.operator, t.host, t.command, t.event_ids, encode(l.sha256, 'hex') AS sha256
FROM platform.trail_link l JOIN platform.trail t USING (row_id)
WHERE ($1::bigint IS NULL OR l.position < $1) AND ($2::text IS NULL OR $2 IN (t.account, t.operator, t.role))
ORDER BY l.position DESC LIMIT $3
