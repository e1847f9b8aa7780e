-- name: create
-- In the scratch schema itself, so that neither can be there without the other. Dropped when the schema becomes the live one.
-- `leaf` is the hash of the last entry that was folded; the first `copied` entries were not: their rows were copied. `fence`
-- is that of the rebuild under way.
CREATE TABLE rebuild_progress (
    position bigint NOT NULL, leaf bytea, copied bigint NOT NULL, fence uuid NOT NULL DEFAULT gen_random_uuid(),
    number bigint NOT NULL, sha256 text NOT NULL
)

-- name: begin
INSERT INTO rebuild_progress (position, copied, number, sha256) VALUES (0, 0, $1, $2) RETURNING fence

-- name: locked
-- Waits for the transactions of an earlier rebuild's processes, which hold the row (`fenced`).
SELECT FROM rebuild_progress FOR UPDATE

-- name: take_over
UPDATE rebuild_progress SET fence = gen_random_uuid() RETURNING fence

-- name: fenced
-- In each transaction of a process that folds a range: no other rebuild takes over before its end.
SELECT true FROM rebuild_progress WHERE fence = $1 FOR KEY SHARE

-- name: move
UPDATE rebuild_progress SET position = $1, leaf = (
    SELECT substr(leaves, 1 + 32 * ($1::bigint - 1 - first_index)::int, 32) FROM log.segment
    WHERE first_index > $1::bigint - 1 - 256 AND first_index <= $1::bigint - 1 ORDER BY first_index DESC LIMIT 1
)

-- name: copied
UPDATE rebuild_progress SET copied = $1

-- name: exists
SELECT to_regclass($1) IS NOT NULL

-- name: stored
-- No row where the rows beside it are of another version, or of another log: its entry there has another hash.
SELECT position, copied FROM {schema}.rebuild_progress p
WHERE (number, sha256) = ($1, $2) AND (position = 0 OR leaf = (
    SELECT substr(s.leaves, 1 + 32 * (p.position - 1 - s.first_index)::int, 32) FROM log.segment s
    WHERE s.first_index > p.position - 1 - 256 AND s.first_index <= p.position - 1 ORDER BY s.first_index DESC LIMIT 1
))
