-- name: size
SELECT size FROM log.state

-- name: segments
-- The first of the segments with entries from $1 up to $2: as many as have $3 bytes in all, and at least one. A segment
-- never crosses a multiple of 256, so the one that holds $1 starts at most 255 before it. The length of a bundle is known
-- without reading it.
SELECT first_index, entries, leaves
FROM (
    SELECT first_index, entries, leaves,
        sum(octet_length(entries)) OVER (ORDER BY first_index ROWS UNBOUNDED PRECEDING) AS bytes
    FROM log.segment
    WHERE first_index > $1::bigint - 256 AND first_index < $2::bigint AND first_index + entries_count > $1
) AS s
WHERE bytes <= $3::bigint OR bytes = octet_length(entries)
ORDER BY first_index

-- name: chosen_segments
-- The first of the segments that hold any of these ascending entries: as many as have $2 bytes in all, and at least one.
SELECT first_index, entries, leaves
FROM (
    SELECT first_index, entries, leaves,
        sum(octet_length(entries)) OVER (ORDER BY first_index ROWS UNBOUNDED PRECEDING) AS bytes
    FROM log.segment
    WHERE first_index IN (
        SELECT (SELECT max(s.first_index) FROM log.segment s WHERE s.first_index > i - 256 AND s.first_index <= i)
        FROM unnest($1::bigint[]) AS chosen (i)
    )
) AS s
WHERE bytes <= $2::bigint OR bytes = octet_length(entries)
ORDER BY first_index

-- name: leaves
SELECT first_index, leaves FROM log.segment
WHERE first_index > $1::bigint - 256 AND first_index < $2::bigint AND first_index + entries_count > $1
ORDER BY first_index

-- name: key_history
SELECT note FROM log.key_history ORDER BY number

-- name: nodes
SELECT hash FROM log.node WHERE level = $1 AND node_index >= $2 AND node_index < $3 ORDER BY node_index

-- name: newest_checkpoint
-- The latest checkpoint; the log may have grown since.
SELECT size, note FROM log.checkpoint ORDER BY size DESC LIMIT 1

-- name: cosigned_checkpoint
-- Where the log has witnesses.
SELECT size, note FROM platform.cosigned_checkpoint

-- name: authority_notes
-- The newest first. One that the key did not sign is skipped; after some, all entries are read.
SELECT note FROM log.authority WHERE size <= $1 ORDER BY size DESC LIMIT 8

-- name: texts
SELECT sha256, value FROM log.text WHERE sha256 = ANY($1::bytea[])

-- name: sent_texts
-- Without those that are withheld or lost. Who only shows texts has no right to a salt.
SELECT sha256, value FROM log.text WHERE sha256 = ANY($1::bytea[]) AND salt IS NOT NULL

-- name: bundle_texts
-- Without those that a recovery did not find.
SELECT index, member, encode(sha256, 'hex') AS sha256, encode(salt, 'hex') AS salt, withheld_index AS withheld_by, value AS text
FROM log.text WHERE index >= $1 AND index < $2 AND (salt IS NOT NULL OR withheld_index IS NOT NULL)
ORDER BY index, member COLLATE "C"
