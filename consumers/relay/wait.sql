-- name: state
-- Everything that may still be pending in PostgreSQL.
SELECT s.size, coalesce((SELECT max(size) FROM log.checkpoint), 0) AS signed_up_to, s.shipped_up_to,
       (SELECT count(*) FROM platform.outbox) AS outbox_count
FROM log.state s

-- name: stopped
-- Processes that halted and whose work nobody does; the consumers' halts are with their positions.
SELECT name, halted_reason FROM platform.lease
WHERE halted_reason IS NOT NULL AND name NOT LIKE 'consumer.%' ORDER BY name

-- name: positions
SELECT consumer, position, halted_reason FROM platform.position

-- name: topics
-- Every agency's topic and the registrar's position in it.
SELECT a.code, coalesce(p.next_offset, 0) AS next_offset, p.halted_reason, p.paused_until
FROM platform.agency a LEFT JOIN log.read_position p ON p.topic = 'agency.' || a.code || '.events'
