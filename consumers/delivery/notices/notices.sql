-- name: lock_routing
-- No subscription is added in the round: each begins with what comes after it.
SELECT pg_advisory_xact_lock_shared(7370019)

-- name: reads
-- How far refusals and the anomalies of each consumer can be read (`end`), and up to where they were (`next`; NULL: never).
SELECT s.source, s.size, p.next_index
FROM (
    SELECT 'log' AS source, size FROM log.state
    UNION ALL
    SELECT consumer, position FROM platform.position
    WHERE consumer = ANY ($1) AND to_regclass(consumer || '.anomaly') IS NOT NULL
) s LEFT JOIN delivery.position p ON p.part = 'notices ' || s.source
ORDER BY s.source

-- name: move
INSERT INTO delivery.position (part, next_index) VALUES ('notices ' || $1, $2)
ON CONFLICT (part) DO UPDATE SET next_index = excluded.next_index

-- name: new_refusals
SELECT agency, count(*) AS items, min(index) AS first_index, max(index) AS last_index
FROM log.refusal WHERE index >= $1 AND index < $2 AND agency = ANY ($3) GROUP BY agency

-- name: new_anomalies
-- Of the consumer whose schema is the search path.
SELECT agency, count(*) AS items, min(found_index) AS first_index, max(found_index) AS last_index
FROM anomaly WHERE found_index >= $1 AND found_index < $2 AND agency = ANY ($3) GROUP BY agency

-- name: gather
-- Into the open window, or into a new one.
INSERT INTO delivery.notice_window AS w (agency, source, items, first_index, last_index, opened_at, wait)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (agency, source) DO UPDATE SET items = w.items + excluded.items, last_index = excluded.last_index,
    first_index = CASE WHEN w.items = 0 THEN excluded.first_index ELSE w.first_index END,
    opened_at = CASE WHEN w.items = 0 THEN excluded.opened_at ELSE w.opened_at END

-- name: windows
SELECT agency, source, items, first_index, last_index, opened_at, wait, noticed_at
FROM delivery.notice_window WHERE items > 0 ORDER BY agency, source

-- name: close_window
UPDATE delivery.notice_window SET items = 0, wait = $3, noticed_at = $4 WHERE agency = $1 AND source = $2

-- name: refusals
-- The first of a window. What was claimed is no part of it.
SELECT index, claimed_type AS type, array(SELECT DISTINCT e ->> 'code' FROM jsonb_array_elements(errors) e ORDER BY 1) AS codes
FROM log.refusal WHERE agency = $1 AND index BETWEEN $2 AND $3 ORDER BY index LIMIT $4

-- name: anomalies
SELECT index, type, rule FROM anomaly WHERE agency = $1 AND found_index BETWEEN $2 AND $3 ORDER BY found_index, index LIMIT $4

-- name: stopped
-- The topics that are paused or halted.
SELECT a.code AS agency, p.halted_reason, p.halted_at, p.paused_until, p.paused_reason
FROM platform.agency a JOIN log.read_position p ON p.topic = 'agency.' || a.code || '.events'
WHERE p.halted_reason IS NOT NULL OR p.paused_until IS NOT NULL ORDER BY a.code

-- name: expiring
-- What expires within $2 days of $1.
SELECT 'notice.credential' AS type, holder AS agency, key_id AS name, created_at, expires_at FROM platform.token
WHERE kind IN ('agency', 'office') AND revoked_at IS NULL AND expires_at > $1 AND expires_at <= $1 + make_interval(days => $2)
UNION ALL
SELECT 'notice.certificate', agency, serial, issued_at, expires_at FROM platform.client_certificate
WHERE expires_at > $1 AND expires_at <= $1 + make_interval(days => $2)
ORDER BY expires_at, name

-- name: expected
-- What agencies expect ($1; NULL: all).
SELECT expectation_id, agency, type, subject, every_days, by_day, created_at FROM delivery.expectation
WHERE ended_at IS NULL AND ($1::text IS NULL OR agency = $1) AND expectation_id > $2
ORDER BY expectation_id LIMIT $3

-- name: last_entries
-- The last entry that fits each of these; by type and agency, or by subject, as there are indexes.
SELECT e.expectation_id, coalesce(
    (SELECT v.index FROM event_index.event v
     WHERE e.subject IS NULL AND hashtext(v.type) = hashtext('sa.gov.yesser.' || e.type || '.v1')
         AND hashtext(v.agency) = hashtext(e.agency) AND v.type = 'sa.gov.yesser.' || e.type || '.v1' AND v.agency = e.agency
     ORDER BY v.index DESC LIMIT 1),
    (SELECT v.index FROM event_index.event v
     WHERE hashtextextended(v.subject, 0) = hashtextextended(e.subject, 0) AND v.subject = e.subject
         AND v.type = 'sa.gov.yesser.' || e.type || '.v1' AND v.agency = e.agency
     ORDER BY v.index DESC LIMIT 1)
) AS last_index
FROM delivery.expectation e WHERE e.expectation_id = ANY ($1)

-- name: index_position
SELECT coalesce((SELECT position FROM platform.position WHERE consumer = 'event-index'), 0)
WHERE to_regclass('event_index.event') IS NOT NULL

-- name: note
-- Those that were not noted before.
INSERT INTO delivery.noted (agency, type, item)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING RETURNING agency, type, item

-- name: end_stops
-- Of agencies whose topic is read: since when it was not, and what was noted then. The next pause is a new one.
WITH ended AS (
    DELETE FROM delivery.noted WHERE type IN ('notice.pause', 'notice.halt') AND agency <> ALL ($1) RETURNING agency, type, noted_at
)
SELECT agency, min(noted_at) AS since, array_agg(DISTINCT type) AS types FROM ended GROUP BY agency ORDER BY agency

-- name: add
INSERT INTO delivery.notice (notice_id, agency, type, made_at, data) VALUES ($1, $2, $3, $4, $5)

-- name: notices
SELECT notice_id, agency, type, made_at, data FROM delivery.notice WHERE notice_id = ANY ($1)
