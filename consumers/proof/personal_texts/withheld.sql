-- name: delete_records
DELETE FROM log.dead_letter WHERE index = ANY($1::bigint[])

-- name: withheld_by
SELECT withheld_index FROM log.text WHERE index = $1 AND member = $2

-- name: withheld
-- In the order in which they were withheld; of one entry ($1) or of all.
SELECT index, member, withheld_index FROM log.text
WHERE withheld_index IS NOT NULL AND ($1::bigint IS NULL OR index = $1) ORDER BY withheld_index

-- name: operators
-- Who ran these commands.
SELECT command, operator FROM platform.trail WHERE command = ANY($1::text[])

-- name: confirmed
-- Who confirmed these acts. The same act may have been approved again, and not used.
SELECT digest, first_by, second_by FROM console.approval
WHERE digest = ANY($1::bytea[]) AND used_at IS NOT NULL ORDER BY used_at DESC

-- name: withheld_count
SELECT count(*) FROM log.text WHERE withheld_index IS NOT NULL

-- name: table_bytes
SELECT pg_total_relation_size($1::text::regclass)

-- name: wal_file
-- The file of WAL that is written now.
SELECT pg_walfile_name(pg_current_wal_lsn())
