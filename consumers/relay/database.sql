-- name: watched
-- What an operator watches of the database. Temporary slots are those of a backup that is being made.
SELECT (SELECT max(age(datfrozenxid)) FROM pg_database) AS transaction_id_age,
    (
        SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint
        FROM pg_replication_slots WHERE NOT temporary
    ) AS wal_waiting_bytes
