-- name: refused
-- The kept bytes of refused records from an index on.
SELECT d.index, r.agency, r.address, r.claimed_type, d.value
FROM log.dead_letter d JOIN log.refusal r USING (index)
WHERE d.index >= $1 AND d.value IS NOT NULL AND ($2::text IS NULL OR r.agency = $2)
ORDER BY d.index LIMIT $3
