-- name: keep_part
-- What a batch was the first to change in one table and block.
INSERT INTO past_block (name, until, part, keys, rows) VALUES ($1, $2, $3, $4::text::text[], $5::text::text[])

-- name: keep_firsts
-- What it may have been the first to change in a span: the first copy stays.
INSERT INTO past_span (name, key, until, row)
SELECT $1, key, $2, row FROM unnest($3::text::text[], $4::text::text[]) AS r (key, row)
ON CONFLICT DO NOTHING

-- name: join_parts
-- The parts of blocks from $2 on that ended before $3 become one, since many small arrays are not compressed.
WITH several AS (
    SELECT name, until FROM past_block WHERE name = ANY ($1) AND until >= $2 AND until < $3
    GROUP BY name, until HAVING count(*) > 1
), part AS (
    DELETE FROM past_block b USING several s WHERE b.name = s.name AND b.until = s.until
    RETURNING b.name, b.until, b.part, b.keys, b.rows
), copy AS (
    SELECT DISTINCT ON (name, until, key) name, until, key, row
    FROM part, unnest(keys, rows) AS c (key, row) ORDER BY name, until, key, part
)
INSERT INTO past_block (name, until, part, keys, rows)
SELECT name, until, until, array_agg(key ORDER BY key), array_agg(row ORDER BY key) FROM copy GROUP BY name, until
