-- name: prefixes
-- The first bytes of the claims of entries from $1 to $2 (without), and their number.
SELECT string_agg(substring(claim FOR 6), ''::bytea) AS prefixes, count(*) AS claims_count
FROM log.event_id WHERE index >= $1 AND index < $2

-- name: sealed_bytes
-- How much is sealed of each part.
SELECT part, sum(octet_length(fingerprints)) AS bytes FROM log.sealed_claims GROUP BY part ORDER BY part

-- name: sealed
SELECT part, first_index, end_index, claims_count, sha256, fingerprints FROM log.sealed_claims
WHERE part BETWEEN $1 AND $2 ORDER BY part, first_index

-- name: unseal
-- The ranges of a part from an index on: merged with what follows, or not as they were written.
DELETE FROM log.sealed_claims WHERE part = $1 AND first_index >= $2

-- name: unseal_all
DELETE FROM log.sealed_claims

-- name: seal
INSERT INTO log.sealed_claims VALUES ($1, $2, $3, $4, $5, $6)
