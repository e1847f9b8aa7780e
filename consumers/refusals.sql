-- name: list
SELECT index, agency, address, claimed_id, claimed_type, errors FROM log.refusal
WHERE ($1::text IS NULL OR agency = $1) AND ($2::bigint IS NULL OR index < $2)
ORDER BY index
