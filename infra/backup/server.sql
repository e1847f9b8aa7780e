-- name: state
-- Which database this is, its timeline, and whether the archive's slot is served.
SELECT s.system_identifier::text AS system, c.timeline_id AS timeline, r.active, r.wal_status = 'lost' AS lost
FROM pg_control_system() s CROSS JOIN pg_control_checkpoint() c
LEFT JOIN pg_replication_slots r ON r.slot_name = $1

-- name: end_receiver
-- The receiver of a killed process goes on by itself, and nobody would see its end.
SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active

-- name: lock
-- One process makes the backups of a database: a second receiver of the slot would end the first one's.
SELECT pg_try_advisory_lock(7370062)
