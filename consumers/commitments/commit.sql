-- name: counted
-- Whether the projections have their tables, which count the log's entries by sender and type.
SELECT to_regclass('projections.activity') IS NOT NULL

-- name: entries
-- Entries applied that are not commitments, now and at the last commitment.
SELECT p.position - coalesce(
           (SELECT count FROM projections.activity WHERE agency = 'platform' AND type = 'projection.committed'), 0
       ) AS entries_count,
       c.entries_count AS committed_count
FROM platform.position p, platform.commitment c WHERE p.consumer = 'projections'

-- name: started
-- Rows of older rules are rebuilt when the consumer starts; they are not committed before.
SELECT to_regnamespace($1) IS NOT NULL
   AND NOT EXISTS (SELECT FROM platform.position WHERE consumer = $2 AND rules_version <> $3)

-- name: position
SELECT position FROM platform.position WHERE consumer = $1

-- name: reach
-- By command: only forward.
UPDATE platform.commitment SET entries_count = greatest(entries_count, $1)

-- name: reach_by_relay
-- Only for the relay of this epoch, and only if no other commitment came first.
UPDATE platform.commitment SET entries_count = $1
WHERE entries_count < $1 AND EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $2)
RETURNING true
