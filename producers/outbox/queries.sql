-- name: add
-- As text, so that no codec of the caller's connection changes it; in the given order.
INSERT INTO yesser.outbox (event)
SELECT given.event::json FROM unnest($1::text[]) WITH ORDINALITY AS given (event, place) ORDER BY given.place

-- name: installed
SELECT to_regclass('yesser.outbox') IS NOT NULL

-- name: waiting
-- Not "above the last one sent": a row of another subject may appear later with a lower number.
SELECT row_id, event::text AS event FROM yesser.outbox
WHERE sent_at IS NULL AND faults IS NULL ORDER BY row_id LIMIT $1

-- name: waiting_count
SELECT count(*) FROM yesser.outbox WHERE sent_at IS NULL AND faults IS NULL

-- name: sent
-- After the acknowledgement, and only for the relay of this epoch.
UPDATE yesser.outbox SET sent_at = clock_timestamp(), address = given.address
FROM unnest($1::bigint[], $2::text[]) AS given (row_id, address)
WHERE outbox.row_id = given.row_id
  AND EXISTS (SELECT FROM yesser.outbox_lease WHERE name = 'outbox' AND epoch = $3)

-- name: refuse
-- Each row's faults as one text: a list of lists would be taken for an array of two dimensions.
UPDATE yesser.outbox SET faults = given.faults::jsonb
FROM unnest($1::bigint[], $2::text[]) AS given (row_id, faults)
WHERE outbox.row_id = given.row_id AND sent_at IS NULL
  AND EXISTS (SELECT FROM yesser.outbox_lease WHERE name = 'outbox' AND epoch = $3)

-- name: unlisted
-- Earlier versions stored one fault, which may be another row's, instead of the list.
SELECT row_id, event::text AS event, faults FROM yesser.outbox
WHERE faults IS NOT NULL AND jsonb_typeof(faults) <> 'array' ORDER BY row_id LIMIT $1

-- name: forget
-- In chunks; refused rows stay until someone deals with them.
DELETE FROM yesser.outbox WHERE row_id IN (
    SELECT row_id FROM yesser.outbox WHERE sent_at < clock_timestamp() - $1 * interval '1 day' ORDER BY sent_at LIMIT $2
)

-- name: oldest
SELECT event_id AS id, added_at, extract(epoch FROM clock_timestamp() - added_at)::float8 AS age_s
FROM yesser.outbox WHERE sent_at IS NULL AND faults IS NULL ORDER BY row_id LIMIT 1

-- name: last_sent
SELECT event_id AS id, sent_at, address FROM yesser.outbox WHERE sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1

-- name: refused_count
SELECT count(*) FROM yesser.outbox WHERE faults IS NOT NULL

-- name: refused
SELECT row_id, event_id AS id, added_at,
    CASE jsonb_typeof(faults) WHEN 'array' THEN faults ELSE jsonb_build_array(faults) END AS faults
FROM yesser.outbox WHERE faults IS NOT NULL ORDER BY row_id DESC LIMIT $1
