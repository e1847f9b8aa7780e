-- name: write
-- A row policy compares the type with the role.
INSERT INTO platform.outbox (event_id, type, key, value, cause_index, position)
SELECT *, $6::bigint FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::bigint[])

-- name: next
-- In row order among committed rows: a row of a later commit may have a lower id, and is found the next time.
-- `is_recovered`: it was decided on entries that were recovered, and no person has released it.
SELECT o.row_id, o.event_id, o.type, o.key, o.value, o.cause_index,
    coalesce(o.position <= s.recovered_to, false) AND o.released_at IS NULL AS is_recovered
FROM platform.outbox o CROSS JOIN log.state s WHERE o.held_at IS NULL OR o.released_at IS NOT NULL
ORDER BY o.row_id LIMIT $1

-- name: hold
-- Holds rows for a person, without one that is held already or that the log has by its id ($2: the claims' prefix): it was
-- decided before the database was lost. Returns the held ids. Nothing is sent, so that no epoch is needed: a relay that
-- was suspended after it read the rows changes none that its successor has held.
WITH dropped AS (
    DELETE FROM platform.outbox o WHERE o.row_id = ANY($1::bigint[]) AND o.held_at IS NULL AND (
        EXISTS (
            SELECT FROM log.event_id e
            WHERE e.claim = substring(sha256($2::bytea || convert_to(o.event_id, 'UTF8')) FOR 16)
        )
        OR EXISTS (
            SELECT FROM platform.outbox h
            WHERE h.event_id = o.event_id AND (h.held_at IS NOT NULL OR h.row_id = ANY($1::bigint[]) AND h.row_id < o.row_id)
        )
    )
    RETURNING row_id
)
UPDATE platform.outbox SET held_at = now()
WHERE row_id = ANY($1::bigint[]) AND held_at IS NULL AND row_id NOT IN (SELECT row_id FROM dropped)
RETURNING event_id

-- name: sent
-- After the broker's acknowledgement, and only for the relay of this epoch.
DELETE FROM platform.outbox
WHERE row_id = ANY($1::bigint[]) AND EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $2)

-- name: waiting
SELECT count(*) FROM platform.outbox WHERE held_at IS NULL OR released_at IS NOT NULL
