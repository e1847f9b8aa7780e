-- name: claim
-- The first waiting e-mail that is due at $1 and has no earlier one waiting in its lane. The attempt is counted before it is made: one
-- that has no row in delivery.attempt afterwards had an unknown outcome. A wait of more than $3 is of a clock that went back.
WITH next AS (
    SELECT m.message_id FROM delivery.message m
    WHERE m.route = 'email' AND m.state = 'waiting'
        AND (m.next_attempt_at <= $1 OR m.next_attempt_at > $1 + $3::interval)
        AND NOT EXISTS (SELECT FROM delivery.message b
                        WHERE b.route = 'email' AND b.state = 'waiting' AND b.agency = m.agency AND b.team = m.team
                            AND b.lane = m.lane AND b.message_id < m.message_id)
    ORDER BY m.message_id LIMIT 1 FOR UPDATE OF m SKIP LOCKED
)
UPDATE delivery.message m SET attempts = m.attempts + 1, next_attempt_at = $1 + $2::interval
FROM next WHERE m.message_id = next.message_id
RETURNING m.message_id, m.subscription_id, m.agency, m.team, m.endpoint_id, m.kind, m.event_id, m.log_index,
    m.campaign_id, m.replay, m.attempts, m.created_at

-- name: give_back
-- Messages that an earlier owner of the lease had claimed, and of whose attempt nothing is known, are due now.
UPDATE delivery.message m SET next_attempt_at = $1
WHERE m.route = 'email' AND m.state = 'waiting'
    AND m.attempts > 0
    AND NOT EXISTS (SELECT FROM delivery.attempt a WHERE a.message_id = m.message_id AND a.number = m.attempts)

-- name: known_attempts
-- Attempts whose outcome is known.
SELECT count(*) FROM delivery.attempt WHERE message_id = $1 AND error IS DISTINCT FROM 'unknown'

-- name: attempted
INSERT INTO delivery.attempt (message_id, number, at, status, latency_ms, error, answer)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: ended
UPDATE delivery.message SET state = $2, ended_at = $3 WHERE message_id = $1 AND state = 'waiting'

-- name: postponed
UPDATE delivery.message SET next_attempt_at = $2 WHERE message_id = $1 AND state = 'waiting'

-- name: given_to_team
-- Whether an earlier message told the team the same by e-mail, for another subscription.
SELECT EXISTS (SELECT FROM delivery.message b
               WHERE b.route = 'email' AND b.agency = $1 AND b.team = $2 AND b.kind = $3 AND b.event_id = $4
                   AND b.replay = $5 AND b.message_id < $6 AND b.state <> 'cancelled')
