-- name: try_lock
SELECT pg_try_advisory_lock($1)

-- name: unlock
SELECT pg_advisory_unlock($1)

-- name: is_valid
-- NULL: there is no such index. False: its build was interrupted.
SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)

-- name: progress
-- The builds that are under way in this database. A phase that waits, waits for the transactions that were there before.
SELECT index_relid::regclass::text AS index, phase,
    round(100.0 * CASE WHEN blocks_total > 0 THEN blocks_done::numeric / blocks_total
                       WHEN tuples_total > 0 THEN tuples_done::numeric / tuples_total ELSE 0 END)::integer AS percent
FROM pg_stat_progress_create_index WHERE datname = current_database()
