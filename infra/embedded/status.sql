-- name: lags
-- How much of the log each consumer has not applied, by the name of its lease, and which session has a lock that it waits for.
SELECT 'consumer.' || p.consumer AS name, p.halted_reason, s.size - p.position AS lag,
    (
        SELECT min(h.application_name) FROM pg_stat_activity w, pg_stat_activity h
        WHERE w.application_name = 'yesser ' || p.consumer AND h.pid = ANY (pg_blocking_pids(w.pid))
    ) AS held_by
FROM platform.position p CROSS JOIN log.state s
