-- name: pages
-- The number of pages of the table of claims.
SELECT pg_relation_size('log.event_id') / current_setting('block_size')::bigint

-- name: prefixes
-- The first 4 bytes of each claim in the pages from $1 to $2 (without), read in the order of the disk.
SELECT string_agg(substring(claim FOR 4), ''::bytea) FROM log.event_id
WHERE ctid >= format('(%s,0)', $1::bigint)::tid AND ctid < format('(%s,0)', $2::bigint)::tid
