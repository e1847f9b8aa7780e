-- name: state
-- Which database this is, its timeline, and whether the archive's slot is served. After a promotion the last checkpoint
-- is still of the old timeline; the WAL is not.
SELECT s.system_identifier::text AS system,
    CASE WHEN pg_is_in_recovery() THEN c.timeline_id
        ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline,
    r.active, r.wal_status = 'lost' AS lost
FROM pg_control_system() s CROSS JOIN pg_control_checkpoint() c
LEFT JOIN pg_replication_slots r ON r.slot_name = $1

-- name: end_receiver
-- The receiver of a killed process goes on by itself, and nobody would see its end.
SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active

-- name: lock
-- One process makes the backups of a database: a second receiver of the slot would end the first one's.
SELECT pg_try_advisory_lock(7370062)
