-- name: add
INSERT INTO platform.trail (account, operator, host, command, event_ids) VALUES ($1, $2, $3, $4, $5)

-- name: read
-- At most $4 rows after the position $1, in the order of their commits: since a time, and with an event's id.
SELECT l.position, t.at, t.role, t.account, t.operator, t.host, t.command, t.event_ids, encode(l.sha256, 'hex') AS sha256
FROM platform.trail_link l JOIN platform.trail t USING (row_id)
WHERE l.position > $1 AND ($2::timestamptz IS NULL OR t.at >= $2) AND ($3::text IS NULL OR t.event_ids @> ARRAY[$3])
ORDER BY l.position LIMIT $4

-- name: alone
-- The rows of the kind $1 of the last 7 days, in the order of their commits.
SELECT l.position, t.at, t.operator, t.command FROM platform.trail t JOIN platform.trail_link l USING (row_id)
WHERE split_part(t.command, ' ', 1) = $1 AND t.at > clock_timestamp() - interval '7 days' ORDER BY l.position
