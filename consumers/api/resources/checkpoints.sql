-- name: state
-- The log and its newest checkpoint, if it has one.
SELECT s.size, s.recorded, c.size AS checkpoint_size, c.note, c.signed_at
FROM log.state s LEFT JOIN LATERAL (SELECT * FROM log.checkpoint ORDER BY size DESC LIMIT 1) c ON true
