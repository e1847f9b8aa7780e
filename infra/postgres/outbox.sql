-- name: write
-- A row policy compares the type with the role.
INSERT INTO platform.outbox (event_id, type, key, value, cause_index)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bigint[])

-- name: next
-- In row order among committed rows: a row of a later commit may have a lower id, and is found the next time.
SELECT row_id, event_id, type, key, value, cause_index FROM platform.outbox ORDER BY row_id LIMIT $1

-- name: sent
-- After the broker's acknowledgement, and only for the relay of this epoch.
DELETE FROM platform.outbox
WHERE row_id = ANY($1::bigint[]) AND EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $2)

-- name: waiting
SELECT count(*) FROM platform.outbox
