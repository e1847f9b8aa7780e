-- name: counted
-- Whether the table exists that counts the log's entries by sender and type.
SELECT to_regclass('projections.activity') IS NOT NULL

-- name: growth
-- Of each consumer: its position and the version of its rows; how many entries before it count (of one that is behind the
-- projections at least so many); its last commitment under this version; and the time since the last one under any. Where it
-- has none, that is the oldest time: a commitment of another consumer does not postpone its first.
WITH counted AS (
    SELECT position, position
        - coalesce((SELECT count FROM projections.activity
                    WHERE agency = 'platform' AND type = 'projection.committed'), 0)
        - coalesce((SELECT count FROM projections.refusals WHERE agency = 'platform'), 0) AS entries_count
    FROM platform.position WHERE consumer = 'projections'
)
SELECT p.consumer, p.position, p.rules_version, p.fold_sha256,
       greatest(0, c.entries_count - greatest(0, c.position - p.position)) AS entries_count,
       coalesce(k.log_index, 0) AS committed_index, coalesce(k.entries_count, 0) AS committed_count,
       clock_timestamp() - coalesce(
           (SELECT max(committed_at) FROM platform.committed a WHERE a.consumer = p.consumer),
           (SELECT min(committed_at) FROM platform.committed)
       ) AS since
FROM platform.position p CROSS JOIN counted c
LEFT JOIN platform.committed k
  ON k.consumer = p.consumer AND k.fold_version = p.rules_version || '-' || left(p.fold_sha256, 12)

-- name: keys_growth
-- The rotations of the log's key that the projections' position covers, and those that were committed.
SELECT p.position, (SELECT count(*) FROM log.key_history h WHERE h.size <= p.position) AS keys_count,
       coalesce((SELECT entries_count FROM platform.committed WHERE consumer = 'log-keys'), 0) AS committed_count
FROM platform.position p WHERE p.consumer = 'projections'

-- name: trail_growth
-- As many rows as the chain of the trail has, its hash there, and how far it was committed.
SELECT p.position, l.position AS entries_count, coalesce(k.log_index, 0) AS committed_index,
       coalesce(k.entries_count, 0) AS committed_count,
       clock_timestamp() - coalesce(k.committed_at, (SELECT min(committed_at) FROM platform.committed)) AS since,
       encode(l.sha256, 'hex') AS sha256
FROM platform.position p
CROSS JOIN LATERAL (SELECT position, sha256 FROM platform.trail_link ORDER BY position DESC LIMIT 1) l
LEFT JOIN platform.committed k ON k.consumer = 'trail'
WHERE p.consumer = 'projections'

-- name: recovered_from
-- Where the log ended before the recoveries that followed the last commitment to the trail that was made and noted.
SELECT min(split_part(t.command, ' ', 3)::bigint)
FROM platform.trail_link l JOIN platform.trail t USING (row_id)
WHERE t.command ~ '^recover from [0-9]+( |$)'
  AND l.position > coalesce((SELECT entries_count FROM platform.committed WHERE consumer = 'trail'), 0)

-- name: position
SELECT position FROM platform.position WHERE consumer = $1

-- name: rows_versions
-- The versions of the live rows, and the index from which each is applied.
SELECT consumer, rules_version, fold_sha256, folds_from FROM platform.position

-- name: log_keys
SELECT note, number, size FROM log.key_history WHERE size <= $1 ORDER BY number

-- name: is_relay
SELECT EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $1)

-- name: note
-- Only forward: of two commands, or of a command and the relay, the second writes nothing at the same index.
INSERT INTO platform.committed AS c (consumer, fold_version, log_index, entries_count) VALUES ($1, $2, $3, $4)
ON CONFLICT (consumer, fold_version) DO UPDATE
SET log_index = excluded.log_index, entries_count = excluded.entries_count, committed_at = excluded.committed_at
WHERE c.log_index < excluded.log_index
RETURNING true

-- name: in_log
-- Those of some ids that the log has already ($2: the claims' prefix): after a restore it has commitments that were not
-- noted.
SELECT e.id FROM unnest($1::text[]) AS e (id)
WHERE EXISTS (
    SELECT FROM log.event_id k
    WHERE k.claim = substr(sha256($2::bytea || convert_to(e.id, 'UTF8')), 1, 16)
)

-- name: newest
-- The newest commitment to each of some read models, found by their subjects.
SELECT e.index FROM unnest($1::text[]) AS s (subject)
CROSS JOIN LATERAL (
    SELECT index FROM event_index.event
    WHERE hashtextextended(subject, 0) = hashtextextended(s.subject, 0) AND subject = s.subject
        AND type = $2 AND agency = 'platform'
    ORDER BY index DESC LIMIT 1
) e
ORDER BY e.index

-- name: acknowledgements
SELECT index FROM event_index.event
WHERE hashtext(type) = hashtext($1) AND hashtext(agency) = hashtext('platform') AND type = $1 AND agency = 'platform'
ORDER BY index

-- name: acknowledged_by
-- Who acknowledged commitments, by the command in the trail.
SELECT command, operator FROM platform.trail WHERE command = ANY($1::text[]) ORDER BY row_id
