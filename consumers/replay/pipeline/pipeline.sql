-- name: take_over
-- Under a new epoch; no row when the rows are of a newer version. Those of another one keep it until they are rebuilt.
INSERT INTO platform.position AS p (consumer, position, epoch, rules_version, fold_sha256, rules)
VALUES ($1, 0, $2, $3, $4, $5)
ON CONFLICT (consumer) DO UPDATE SET epoch = excluded.epoch
WHERE p.epoch <= excluded.epoch AND p.rules_version <= excluded.rules_version
RETURNING position, rules_version, fold_sha256, halted_reason IS NOT NULL AS is_halted

-- name: superseded
-- Whether a later epoch has taken the position over.
SELECT epoch > $2 FROM platform.position WHERE consumer = $1

-- name: move
-- First statement of each transaction: locks the row, and counts only for the owner at the position that it knows. Returns
-- the segments with the leaves from $8 up to $9 (an empty one where there are none), and up to where the log was
-- recovered; no row: not moved.
WITH moved AS (
    UPDATE platform.position SET position = $4, gaps_filled = gaps_filled + $6, halted_reason = NULL
    WHERE consumer = $1 AND epoch = $2 AND position = $3 AND rules_version = $5 AND fold_sha256 = $7
    RETURNING true
)
SELECT coalesce(s.first_index, 0) AS first_index, coalesce(s.leaves, '') AS leaves,
    (SELECT recovered_to FROM log.state) AS recovered_to
FROM moved LEFT JOIN log.segment s
    ON s.first_index > $8::bigint - 256 AND s.first_index < $9::bigint AND s.first_index + s.entries_count > $8
ORDER BY s.first_index

-- name: halt
-- No reason: the halt is over.
UPDATE platform.position SET halted_reason = $3 WHERE consumer = $1 AND epoch = $2

-- name: holder
-- What has a lock that the session waits for, such as a rebuild at its swap.
SELECT min(application_name) FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1))
