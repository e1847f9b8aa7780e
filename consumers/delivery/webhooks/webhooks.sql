-- name: endpoints
-- With their active secrets, the newest first.
SELECT e.endpoint_id, e.agency, e.team, e.url, e.seal, e.failing_since, e.disabled_reason,
    array(
        SELECT s.secret_id FROM delivery.endpoint_secret s
        WHERE s.endpoint_id = e.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
        ORDER BY s.secret_id DESC
    ) AS secret_ids,
    array(
        SELECT s.sealed FROM delivery.endpoint_secret s
        WHERE s.endpoint_id = e.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
        ORDER BY s.secret_id DESC
    ) AS sealed
FROM delivery.endpoint e WHERE e.endpoint_id = ANY ($1)

-- name: due
-- The first messages of each endpoint that are due, but those in hand ($3). One waits for an earlier one of its lane, unless
-- that one has waited for longer than $4. Replays come last.
SELECT d.* FROM unnest($1::text[], $2::integer[]) AS e (endpoint_id, wanted)
CROSS JOIN LATERAL (
    SELECT m.message_id, m.endpoint_id, m.kind, m.event_id, m.log_index, m.campaign_id, m.replay, m.attempts, m.created_at
    FROM delivery.message m
    WHERE m.endpoint_id = e.endpoint_id AND m.state = 'waiting' AND m.route = 'webhook'
        AND m.next_attempt_at <= statement_timestamp() AND m.message_id <> ALL ($3::bigint[])
        AND NOT EXISTS (
            SELECT FROM delivery.message b
            WHERE b.endpoint_id = m.endpoint_id AND b.lane = m.lane AND b.state = 'waiting'
                AND b.message_id < m.message_id AND b.created_at > statement_timestamp() - $4::interval
        )
    ORDER BY m.replay, m.message_id LIMIT e.wanted
) d

-- name: now
SELECT clock_timestamp()

-- name: attempted
INSERT INTO delivery.attempt (message_id, number, at, status, latency_ms, error, answer, endpoint_id)
SELECT a.*, m.endpoint_id
FROM unnest($1::bigint[], $2::integer[], $3::timestamptz[], $4::integer[], $5::integer[], $6::text[], $7::bytea[])
    AS a (message_id, number, at, status, latency_ms, error, answer)
JOIN delivery.message m USING (message_id)
ON CONFLICT DO NOTHING

-- name: recorded
UPDATE delivery.message m
SET state = r.state, attempts = r.attempts, late = r.late,
    next_attempt_at = clock_timestamp() + r.wait_s * interval '1 second',
    ended_at = CASE WHEN r.state <> 'waiting' THEN clock_timestamp() END
FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::boolean[], $5::float8[])
    AS r (message_id, state, attempts, late, wait_s)
WHERE m.message_id = r.message_id AND m.state = 'waiting'

-- name: failing
-- Since when each endpoint fails; NULL: it does not.
UPDATE delivery.endpoint e SET failing_since = f.since
FROM unnest($1::text[], $2::timestamptz[]) AS f (endpoint_id, since) WHERE e.endpoint_id = f.endpoint_id

-- name: disable
UPDATE delivery.endpoint SET disabled_at = clock_timestamp(), disabled_reason = $2
WHERE endpoint_id = $1 AND disabled_at IS NULL
RETURNING agency, team, disabled_at

-- name: tell_owner
-- An e-mail to the team; sent by another part. Of an endpoint that is enabled and disabled again within the second in $4,
-- the team gets one e-mail.
INSERT INTO delivery.message (route, agency, team, endpoint_id, kind, event_id, lane)
VALUES ('email', $1, $2, $3, 'endpoint-disabled', $4, $3)
ON CONFLICT DO NOTHING

-- name: cancel_waiting
UPDATE delivery.message SET state = 'cancelled', ended_at = clock_timestamp()
WHERE endpoint_id = ANY ($1) AND state = 'waiting' AND route = 'webhook'

-- name: next_due
-- Per endpoint the seconds until something becomes due that was not at $2, its last reading: a waiting message, or one that
-- waited for an earlier one of its lane.
SELECT m.endpoint_id,
    extract(epoch FROM min(
        CASE WHEN m.next_attempt_at > r.read_at AND m.created_at + $3::interval > r.read_at
            THEN least(m.next_attempt_at, m.created_at + $3::interval)
            ELSE greatest(m.next_attempt_at, m.created_at + $3::interval)
        END
    ) - clock_timestamp())::float8 AS wait_s
FROM unnest($1::text[], $2::timestamptz[]) AS r (endpoint_id, read_at)
JOIN delivery.message m ON m.endpoint_id = r.endpoint_id AND m.state = 'waiting' AND m.route = 'webhook'
WHERE m.next_attempt_at > r.read_at OR m.created_at + $3::interval > r.read_at
GROUP BY m.endpoint_id
