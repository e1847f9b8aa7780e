-- name: redeliver
-- Copies of messages that no longer wait: the one with this id, or those made in this span. Each event once, and not where it
-- waits to be sent again already.
WITH wanted AS (
    SELECT DISTINCT ON (m.kind, m.event_id) m.*
    FROM delivery.message m
    WHERE m.endpoint_id = $1 AND m.route = 'webhook' AND m.kind <> 'example' AND m.state <> 'waiting'
        AND ($2::bigint IS NULL OR m.message_id = $2)
        AND ($3::timestamptz IS NULL OR m.created_at >= $3) AND ($4::timestamptz IS NULL OR m.created_at < $4)
        AND NOT EXISTS (
            SELECT FROM delivery.message w
            WHERE w.endpoint_id = m.endpoint_id AND w.state = 'waiting' AND w.kind = m.kind AND w.event_id = m.event_id
        )
    ORDER BY m.kind, m.event_id, m.message_id
)
INSERT INTO delivery.message (
    subscription_id, route, agency, team, endpoint_id, kind, event_id, log_index, campaign_id, lane, replay
)
SELECT subscription_id, route, agency, team, endpoint_id, kind, event_id, log_index, campaign_id,
    regexp_replace(lane, '(/replay)?$', '/replay'), true
FROM wanted ORDER BY log_index, message_id LIMIT $5
RETURNING message_id

-- name: webhooks
-- With the number of messages in each state that matters, of which at most $2 are counted, and the last attempt.
SELECT e.endpoint_id, e.agency, e.team, e.url, e.created_at, e.failing_since, e.disabled_at, e.disabled_reason,
    (
        SELECT count(*) FROM (
            SELECT FROM delivery.message
            WHERE endpoint_id = e.endpoint_id AND route = 'webhook' AND state = 'waiting' LIMIT $2
        ) m
    ) AS waiting,
    (
        SELECT count(*) FROM (
            SELECT FROM delivery.message
            WHERE endpoint_id = e.endpoint_id AND route = 'webhook' AND state IN ('failed', 'cancelled') LIMIT $2
        ) m
    ) AS undelivered,
    l.at AS last_attempt_at, l.status AS last_status, l.error AS last_error
FROM delivery.endpoint e
LEFT JOIN LATERAL (
    SELECT at, status, error FROM delivery.attempt WHERE endpoint_id = e.endpoint_id
    ORDER BY at AT TIME ZONE 'UTC' DESC, message_id DESC LIMIT 1
) l ON true
WHERE $1::text IS NULL OR e.agency = $1
ORDER BY e.agency, e.team, e.endpoint_id

-- name: attempts
-- The newest attempts to deliver to a webhook.
SELECT a.message_id, m.kind, m.event_id, m.campaign_id, m.log_index, m.state, m.replay, m.late, a.number, a.at, a.status,
    a.error, a.latency_ms, a.answer, m.next_attempt_at
FROM delivery.attempt a JOIN delivery.message m USING (message_id)
WHERE a.endpoint_id = $1 AND ($2::bigint IS NULL OR a.message_id = $2)
ORDER BY a.at AT TIME ZONE 'UTC' DESC, a.message_id DESC LIMIT $3
