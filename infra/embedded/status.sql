-- name: leases
-- Who works under a lease, and how much of the log a consumer has not applied.
SELECT l.name, l.owner, l.expires_at > clock_timestamp() AS held, p.halted_reason, s.size - p.position AS lag
FROM platform.lease l
LEFT JOIN platform.position p ON l.name = 'consumer.' || p.consumer
LEFT JOIN log.state s ON p.consumer IS NOT NULL
