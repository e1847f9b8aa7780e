-- name: counted
-- Whether the projections have their tables, which count the log's entries by sender and type.
SELECT to_regclass('projections.activity') IS NOT NULL

-- name: entries
-- Entries applied that are not commitments, now and at the last commitment; and the recorded times of the log's newest
-- entry and of the last commitment (without one, of the log's first entry): the time of a segment's first entry, which
-- begins `{"recordedtime":"` after two bytes of length.
WITH committed AS (
    SELECT count, last_index FROM projections.activity WHERE agency = 'platform' AND type = 'projection.committed'
)
SELECT p.position - coalesce((SELECT count FROM committed), 0) AS entries_count,
       c.entries_count AS committed_count,
       (SELECT count(*) FROM log.key_history k WHERE k.size <= p.position) AS keys_count,
       c.keys_count AS committed_keys,
       s.recorded,
       coalesce((SELECT convert_from(substring(g.entries FROM 20 FOR 27), 'UTF8') FROM log.segment g
                 WHERE g.first_index <= coalesce((SELECT last_index FROM committed), 0)
                 ORDER BY g.first_index DESC LIMIT 1), s.recorded) AS committed_recorded
FROM platform.position p, platform.commitment c, log.state s WHERE p.consumer = 'projections'

-- name: started
-- Rows of another version are rebuilt when the consumer starts; they are not committed before.
SELECT to_regnamespace($1) IS NOT NULL
   AND NOT EXISTS (SELECT FROM platform.position WHERE consumer = $2 AND (rules_version, fold_sha256) <> ($3, $4))

-- name: position
SELECT position FROM platform.position WHERE consumer = $1

-- name: log_keys
SELECT note, number, size FROM log.key_history WHERE size <= $1 ORDER BY number

-- name: committed
-- By command: only forward.
UPDATE platform.commitment SET entries_count = greatest(entries_count, $1), keys_count = greatest(keys_count, $2)

-- name: committed_by_relay
-- Only for the relay of this epoch, and only if no other commitment came first.
UPDATE platform.commitment SET entries_count = greatest(entries_count, $1), keys_count = greatest(keys_count, $2)
WHERE (entries_count < $1 OR keys_count < $2)
  AND EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $3)
RETURNING true
