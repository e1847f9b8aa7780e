-- name: now
SELECT clock_timestamp()

-- name: waiting
-- The destinations of a route for which something waits, now or later.
SELECT DISTINCT delivery.destination(route, endpoint_id) AS destination
FROM delivery.message WHERE state = 'waiting' AND route = $1

-- name: due
-- The first messages of each destination that are due at $4, but those in hand ($3). One waits for an earlier one of its lane, unless
-- that one has waited for longer than $5 (NULL: always). A wait of more than $6 is of a clock that went back. Replays come last.
SELECT d.* FROM unnest($1::text[], $2::integer[]) AS e (destination, wanted)
CROSS JOIN LATERAL (
    SELECT m.message_id, e.destination, m.agency, m.team, m.endpoint_id, m.kind, m.event_id, m.log_index, m.campaign_id,
        m.replay, m.attempts, m.created_at,
        CASE WHEN m.attempts = 0 THEN 0 ELSE m.attempts - (
            SELECT count(*) FROM delivery.attempt a
            WHERE a.message_id = m.message_id AND a.error IS DISTINCT FROM 'unknown'
        ) END AS unknown
    FROM delivery.message m
    WHERE delivery.destination(m.route, m.endpoint_id) = e.destination AND m.state = 'waiting'
        AND (m.next_attempt_at <= $4::timestamptz OR m.next_attempt_at > $4 + $6::interval) AND m.message_id <> ALL ($3::bigint[])
        AND NOT EXISTS (
            SELECT FROM delivery.message b
            WHERE delivery.destination(b.route, b.endpoint_id) = e.destination AND b.state = 'waiting'
                AND b.agency = m.agency AND b.team = m.team AND b.lane = m.lane AND b.message_id < m.message_id
                AND ($5::interval IS NULL OR b.created_at > $4 - $5::interval)
        )
    ORDER BY m.replay, m.message_id LIMIT e.wanted
) d

-- name: next_due
-- Per destination when something becomes due that was not at $2, its last reading: a waiting message, or one that waited for an
-- earlier one of its lane (for at most $3).
SELECT r.destination, min(
    CASE WHEN m.next_attempt_at > r.read_at AND m.created_at + $3::interval > r.read_at
        THEN least(m.next_attempt_at, m.created_at + $3::interval)
        ELSE greatest(m.next_attempt_at, m.created_at + $3::interval)
    END
) AS due_at
FROM unnest($1::text[], $2::timestamptz[]) AS r (destination, read_at)
JOIN delivery.message m ON delivery.destination(m.route, m.endpoint_id) = r.destination AND m.state = 'waiting'
WHERE m.next_attempt_at > r.read_at OR m.created_at + $3::interval > r.read_at
GROUP BY r.destination

-- name: count_attempts
UPDATE delivery.message SET attempts = attempts + 1 WHERE message_id = ANY ($1) AND state = 'waiting'

-- name: attempted
INSERT INTO delivery.attempt (message_id, number, at, status, latency_ms, error, answer, endpoint_id)
SELECT a.*, CASE WHEN m.route = 'webhook' THEN m.endpoint_id END
FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::integer[], $5::integer[], $6::text[], $7::bytea[])
    AS a (message_id, number, at, status, latency_ms, error, answer)
JOIN delivery.message m USING (message_id)
ON CONFLICT DO NOTHING

-- name: recorded
UPDATE delivery.message m
SET state = r.state, attempts = r.attempts, late = r.late, next_attempt_at = $6::timestamptz + r.wait_s * interval '1 second',
    ended_at = CASE WHEN r.state <> 'waiting' THEN $6 END
FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::boolean[], $5::float8[])
    AS r (message_id, state, attempts, late, wait_s)
WHERE m.message_id = r.message_id AND m.state = 'waiting'

-- name: cancel
UPDATE delivery.message SET state = 'cancelled', ended_at = $2
WHERE delivery.destination(route, endpoint_id) = ANY ($1) AND state = 'waiting'
