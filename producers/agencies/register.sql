-- name: registered
SELECT role, name FROM platform.registration WHERE code = $1

-- name: in_log
-- From the log, not from the requests: a restored database may be older than the request.
SELECT role, name FROM platform.agency WHERE code = $1

-- name: register
-- One winner among concurrent requests; only the winner writes the event.
INSERT INTO platform.registration (code, role, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true

-- name: read
-- Of these topics, those that the registrar reads, and whether it had to stop.
SELECT topic, halted_reason FROM log.read_position WHERE topic = ANY($1::text[])

-- name: list
SELECT code, role, name, registered_index, coalesce(next_offset, 0) AS next_offset, halted_reason,
       p.topic IS NOT NULL AS is_read, paused_until, paused_reason
FROM platform.agency a LEFT JOIN log.read_position p ON p.topic = 'agency.' || a.code || '.events'
ORDER BY registered_index

-- name: issued
INSERT INTO platform.client_certificate (serial, agency, expires_at) VALUES ($1, $2, $3)
