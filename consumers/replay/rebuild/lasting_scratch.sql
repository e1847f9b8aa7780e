-- name: create
-- In the scratch schema itself, so that neither can be there without the other. Dropped when the schema becomes the live one.
CREATE TABLE replayed (position bigint NOT NULL, number bigint NOT NULL, sha256 text NOT NULL)

-- name: begin
INSERT INTO replayed VALUES (0, $1, $2)

-- name: move
UPDATE replayed SET position = $1

-- name: exists
SELECT to_regclass($1) IS NOT NULL

-- name: position
-- No row where the rows beside it are of another version.
SELECT position FROM {schema}.replayed WHERE (number, sha256) = ($1, $2)
