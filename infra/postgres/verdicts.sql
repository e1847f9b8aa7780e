-- name: runs
-- The parts of $2..$3 (first offset, end) that became entries: offset, index, number of both.
SELECT greatest(r.first_offset, s.first_offset) AS first_offset,
       r.first_index + greatest(0, s.first_offset - r.first_offset) AS first_index,
       least(r.first_offset + r.entries_count, s.end_offset) - greatest(r.first_offset, s.first_offset) AS entries_count
FROM unnest($2::bigint[], $3::bigint[]) AS s(first_offset, end_offset)
CROSS JOIN LATERAL (
    -- The run that began before, then all that begin inside: both by the primary key.
    (SELECT * FROM log.run WHERE topic = $1 AND first_offset < s.first_offset ORDER BY first_offset DESC LIMIT 1)
    UNION ALL
    SELECT * FROM log.run WHERE topic = $1 AND first_offset >= s.first_offset AND first_offset < s.end_offset
) AS r
WHERE r.first_offset + r.entries_count > s.first_offset
ORDER BY 1

-- name: refusals
-- The refused among consecutive indexes, given as first index and number.
SELECT f.index, f.claimed_id, f.errors
FROM unnest($1::bigint[], $2::bigint[]) AS r(first_index, entries_count)
JOIN log.refusal f ON f.index >= r.first_index AND f.index < r.first_index + r.entries_count
ORDER BY f.index

-- name: duplicates
SELECT count(*) AS duplicates_count, min(d.of_index) AS first_index, max(d.of_index) AS last_index
FROM unnest($2::bigint[], $3::bigint[]) AS s(first_offset, end_offset)
JOIN log.duplicate d ON d.topic = $1 AND d."offset" >= s.first_offset AND d."offset" < s.end_offset

-- name: topic_state
SELECT next_offset, halted_reason, paused_until, paused_reason FROM log.read_position WHERE topic = $1

-- name: sequence_after
-- The number after the highest seen; the first is 1.
SELECT highest + 1 FROM log.sequence_state WHERE agency = $1

-- name: known
-- The claims that are in the log already, the identity of their events, and what is kept of each of its texts.
SELECT e.claim, e.identity, e.index, t.member, t.sha256, t.salt
FROM log.event_id e LEFT JOIN log.text t ON t.index = e.index
WHERE e.claim = ANY($1::bytea[])
