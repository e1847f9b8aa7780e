-- name: lags
-- How much of the log each consumer has not applied, by the name of its lease.
SELECT 'consumer.' || p.consumer AS name, p.halted_reason, s.size - p.position AS lag
FROM platform.position p CROSS JOIN log.state s
