-- name: next_offset
SELECT next_offset FROM log.read_position WHERE topic = $1

-- name: refusal
-- The refusal of the record at this address, and whether its bytes were kept.
SELECT r.index, d.index IS NOT NULL AS is_kept
FROM log.refusal r LEFT JOIN log.dead_letter d USING (index) WHERE r.address = $1

-- name: erase
-- The kept bytes of the record at address $1, and what is kept to recognise it if it is the last that was read.
WITH kept AS (
    DELETE FROM log.dead_letter d USING log.refusal r WHERE r.index = d.index AND r.address = $1
)
UPDATE log.read_position SET last_record_sha256 = NULL, last_record_appended_ms = NULL
WHERE topic = $2 AND next_offset = $3::bigint + 1
