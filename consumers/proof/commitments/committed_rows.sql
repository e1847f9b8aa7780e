-- name: copy_blocks
-- What rows were in the blocks before $1.
INSERT INTO past_block SELECT * FROM {schema}.past_block WHERE until < $1

-- name: copy_spans
-- The same of the spans before $2, and of that one what its blocks before $1 have: the fold makes the rest of it again.
INSERT INTO past_span SELECT * FROM {schema}.past_span s WHERE s.until < $2 OR (s.until = $2 AND s.key IN (
    SELECT c.key FROM {schema}.past_block b, unnest(b.keys) AS c (key) WHERE b.name = s.name AND b.until >= $2 AND b.until < $1
))
