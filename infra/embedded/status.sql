-- name: lags
-- How much of the log each consumer has not applied, and why a process halted, by the name of its lease.
SELECT l.name, coalesce(p.halted_reason, l.halted_reason) AS halted_reason, s.size - p.position AS lag
FROM platform.lease l CROSS JOIN log.state s LEFT JOIN platform.position p ON l.name = 'consumer.' || p.consumer

-- name: halted_topics
SELECT topic, halted_reason FROM log.read_position WHERE halted_reason IS NOT NULL ORDER BY topic
