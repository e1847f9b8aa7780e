-- name: write
INSERT INTO platform.outbox (event_id, key, value, cause_index, position)
SELECT *, $5::bigint FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[])

-- name: next
-- In row order among committed rows: a row of a later commit may have a lower id, and is found the next time.
-- `is_recovered`: it was decided on entries that were recovered.
SELECT o.row_id, o.key, o.value, coalesce(o.position <= s.recovered_to, false) AS is_recovered
FROM platform.outbox o CROSS JOIN log.state s ORDER BY o.row_id LIMIT $1

-- name: hold
-- Takes rows out: one that the log has by its id ($2: the claims' prefix) was decided before the database was lost; the
-- others are held. Returns the held ids. Nothing is sent, so that no epoch is needed.
WITH taken AS (
    DELETE FROM platform.outbox WHERE row_id = ANY($1::bigint[]) RETURNING event_id, key, value, cause_index
)
INSERT INTO platform.held_event (event_id, key, value, cause_index)
SELECT event_id, key, value, cause_index FROM taken t
WHERE NOT EXISTS (
    SELECT FROM log.event_id e WHERE e.claim = substring(sha256($2::bytea || convert_to(t.event_id, 'UTF8')) FOR 16)
)
ON CONFLICT DO NOTHING
RETURNING event_id

-- name: sent
-- After the broker's acknowledgement, and only for the relay of this epoch.
DELETE FROM platform.outbox
WHERE row_id = ANY($1::bigint[]) AND EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $2)

-- name: waiting
SELECT count(*) FROM platform.outbox
