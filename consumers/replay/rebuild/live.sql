-- name: position
SELECT position FROM platform.position WHERE consumer = $1

-- name: rules
-- The rules that made the rows, or {} for a consumer whose rules are no files.
SELECT rules FROM platform.position WHERE consumer = $1
