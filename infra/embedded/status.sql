-- name: lags
-- How much of the log each consumer has not applied, why a process halted, and which session has a lock that a consumer waits
-- for, by the name of the lease.
SELECT l.name, coalesce(p.halted_reason, l.halted_reason) AS halted_reason, s.size - p.position AS lag,
    (
        SELECT min(h.application_name) FROM pg_stat_activity w, pg_stat_activity h
        WHERE w.application_name = 'yesser ' || p.consumer AND h.pid = ANY (pg_blocking_pids(w.pid))
    ) AS held_by
FROM platform.lease l CROSS JOIN log.state s LEFT JOIN platform.position p ON l.name = 'consumer.' || p.consumer

-- name: administrators
SELECT count(*) FROM console.sealed_account WHERE role = 'administrator' AND disabled_at IS NULL

-- name: halted_topics
SELECT topic, halted_reason FROM log.read_position WHERE halted_reason IS NOT NULL ORDER BY topic
