-- name: advance
-- Moves the size from the value that this owner knows; any other value means that another owner wrote. Returns the time.
UPDATE log.state SET size = $2, recorded = $3, shipped_up_to = greatest(shipped_up_to, $4)
WHERE size = $1 RETURNING clock_timestamp()

-- name: note_recovered
-- In each transaction that brings entries back.
UPDATE log.state SET recovered_to = size

-- name: note_verified
UPDATE log.state SET verified_copy = log.copy_name() WHERE verified_copy IS DISTINCT FROM log.copy_name()

-- name: now
SELECT clock_timestamp()

-- name: add
-- All rows of a batch that depend on no other, in one round trip.
WITH segments AS (
    INSERT INTO log.segment SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bytea[], $4::bytea[])
), nodes AS (
    INSERT INTO log.node SELECT * FROM unnest($5::integer[], $6::bigint[], $7::bytea[])
), ids AS (
    -- Claim and identity of each, one behind the other: arrays of them would take the client longer than all else here.
    INSERT INTO log.event_id
    SELECT substr($8::bytea, at, 16), substr($8::bytea, at + 16, 16), first + n
    FROM unnest($9::bigint[], $10::integer[], $11::integer[]) AS r(first, count, before),
        generate_series(0, count - 1) AS n, LATERAL (SELECT 32 * (before + n) + 1) AS p(at)
), runs AS (
    INSERT INTO log.run SELECT * FROM unnest($12::text[], $13::bigint[], $14::bigint[], $15::bigint[])
), duplicates AS (
    INSERT INTO log.duplicate SELECT * FROM unnest($16::text[], $17::bigint[], $18::bigint[])
), texts AS (
    INSERT INTO log.text (index, member, sha256, salt, value)
    SELECT * FROM unnest($19::bigint[], $20::text[], $21::bytea[], $22::bytea[], $23::text[])
), refusals AS (
    INSERT INTO log.refusal (index, agency, address, claimed_id, claimed_type, errors)
    SELECT index, agency, address, claimed_id, claimed_type, errors::jsonb
    FROM unnest($24::bigint[], $25::text[], $26::text[], $27::text[], $28::text[], $29::text[])
        AS r(index, agency, address, claimed_id, claimed_type, errors)
), refused AS (
    INSERT INTO log.dead_letter (index, value, headers)
    SELECT index, value, headers::jsonb
    FROM unnest($24::bigint[], $30::boolean[], $31::bytea[], $32::text[]) AS r(index, keep_raw, value, headers)
    WHERE keep_raw
)
UPDATE log.read_position p SET next_offset = r.next_offset, last_record_sha256 = r.sha256,
    last_record_appended_ms = r.appended_ms
FROM unnest($33::text[], $34::bigint[], $35::bytea[], $36::bigint[]) AS r(topic, next_offset, sha256, appended_ms)
WHERE p.topic = r.topic

-- name: withhold
-- Nothing where the entry has no such text, or it is withheld already. A list of texts becomes a list.
UPDATE log.text SET salt = NULL, withheld_index = $3, value = CASE WHEN value LIKE '[%' THEN '[' || $4 || ']' ELSE $4 END
WHERE index = $1 AND index < $3 AND member = $2 AND withheld_index IS NULL

-- name: text
SELECT value FROM log.text WHERE index = $1 AND member = $2 AND salt IS NOT NULL

-- name: delete_refused
DELETE FROM log.dead_letter WHERE index = ANY($1::bigint[])

-- name: texts_to_ship
-- What the entries $1 … $2 - 1 have, and what they withhold.
SELECT index, member, sha256, salt, value, withheld_index FROM log.text
WHERE index >= $1 AND index < $2 AND salt IS NOT NULL OR withheld_index >= $1 AND withheld_index < $2
ORDER BY index

-- name: texts_after
SELECT index, member, sha256, salt, value FROM log.text
WHERE (index, member) > ($1, $2) AND salt IS NOT NULL ORDER BY index, member LIMIT $3

-- name: withheld_texts
SELECT index, member FROM log.text WHERE withheld_index IS NOT NULL

-- name: lost_texts
SELECT count(*) FROM log.text WHERE salt IS NULL AND withheld_index IS NULL

-- name: add_sequences
-- Numbers without order need a range each. Beyond $6 ranges only the highest number is kept: rewriting ever longer rows
-- with each batch would let one agency delay all others. $8 is the batch's month.
WITH months AS (
    INSERT INTO log.sequence_month AS m (agency, month, highest)
    SELECT agency, $8, highest::numeric FROM unnest($1::text[], $5::text[]) AS r(agency, highest)
    ON CONFLICT (agency, month) DO UPDATE SET highest = excluded.highest WHERE m.highest < excluded.highest
)
INSERT INTO log.sequence_state AS s (agency, seen, accepted, repeated, highest)
SELECT agency, seen::nummultirange, accepted::nummultirange, repeated::nummultirange, highest::numeric
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS r(agency, seen, accepted, repeated, highest)
ON CONFLICT (agency) DO UPDATE SET
    highest = greatest(s.highest, excluded.highest),
    seen = CASE WHEN s.overflowed_index IS NULL THEN s.seen + excluded.seen ELSE s.seen END,
    repeated = CASE WHEN s.overflowed_index IS NULL
        THEN s.repeated + excluded.repeated + s.accepted * excluded.accepted ELSE s.repeated END,
    accepted = CASE WHEN s.overflowed_index IS NULL THEN s.accepted + excluded.accepted ELSE s.accepted END,
    overflowed_index = coalesce(s.overflowed_index, (
        SELECT $7::bigint WHERE (SELECT count(*) FROM unnest(s.seen)) + (SELECT count(*) FROM unnest(s.accepted))
            + (SELECT count(*) FROM unnest(s.repeated)) > $6))

-- name: add_agency
-- The first registration of a code is final.
INSERT INTO platform.agency (code, role, name, registered_index) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING

-- name: suspend
-- Its request is here already, unless the database is older. A later request is not overwritten: its entry follows.
INSERT INTO platform.suspension AS s (agency, reason, event_id, index) VALUES ($1, $2, $3, $4)
ON CONFLICT (agency) DO UPDATE
    SET reason = excluded.reason, event_id = excluded.event_id, index = excluded.index
    WHERE s.index IS NOT NULL OR s.event_id IS NULL OR s.event_id = excluded.event_id

-- name: resume
-- A suspension that was requested since stays.
DELETE FROM platform.suspension WHERE agency = $1 AND (index < $2 OR event_id IS NULL)

-- name: suspensions
SELECT agency, reason, index FROM platform.suspension

-- name: keep_authority
INSERT INTO log.authority (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: forget_refused
-- The kept bytes of refusals below entry $1, the oldest first.
DELETE FROM log.dead_letter WHERE index IN (SELECT index FROM log.dead_letter WHERE index < $1 ORDER BY index LIMIT $2)

-- name: state
SELECT size, recorded, shipped_up_to, texts_end FROM log.state

-- name: agencies
SELECT code, role, name, registered_index FROM platform.agency ORDER BY registered_index

-- name: positions
SELECT topic, next_offset, last_record_sha256, last_record_appended_ms, halted_reason, paused_until, paused_times,
       paused_reason, paused_cause, breaker_levels, uncounted_up_to
FROM log.read_position

-- name: alarm
-- The first refused event of the platform that is not acknowledged.
SELECT r.index, r.errors->0->>'code' AS code FROM log.refusal r
WHERE r.agency = 'platform'
  AND NOT EXISTS (SELECT FROM platform.acknowledged_refusal a WHERE a.index = r.index)
ORDER BY r.index LIMIT 1

-- name: start_topic
INSERT INTO log.read_position (topic) VALUES ($1) ON CONFLICT DO NOTHING

-- name: halt_topic
-- A reason of NULL ends the halt.
UPDATE log.read_position SET halted_reason = $2, halted_at = CASE WHEN $2::text IS NOT NULL THEN now() END
WHERE topic = $1

-- name: keep_breakers
UPDATE log.read_position p SET breaker_levels = ARRAY(SELECT jsonb_array_elements_text(r.levels::jsonb)::bigint),
    paused_until = r.until, paused_times = r.times, paused_reason = r.reason::jsonb, paused_cause = r.cause
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::integer[], $5::text[], $6::text[])
    AS r(topic, levels, until, times, reason, cause)
WHERE p.topic = r.topic

-- name: shipped
UPDATE log.state SET shipped_up_to = greatest(shipped_up_to, $1), texts_end = $2

-- name: add_checkpoint
INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)

-- name: adopt_checkpoint
-- Missing in a restored database, or if an owner ended between writing the file and this table.
INSERT INTO log.checkpoint (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: add_key
INSERT INTO log.key_history (number, size, note) VALUES ($1, $2, $3)

-- name: adopt_key
-- Missing in a database that was restored from before the rotation.
INSERT INTO log.key_history (number, size, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
