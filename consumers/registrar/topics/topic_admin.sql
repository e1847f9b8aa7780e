-- name: position
SELECT next_offset, last_record_sha256, last_record_appended_ms, halted_reason, paused_until FROM log.read_position WHERE topic = $1

-- name: is_paused
SELECT paused_until IS NOT NULL FROM log.read_position WHERE topic = $1

-- name: let_through
-- Records below this offset cause no pause; at least the next one, even if it does not exist yet.
UPDATE log.read_position SET uncounted_up_to = greatest($2, next_offset + 1) WHERE topic = $1

-- name: lift_halt
-- Only from the position that was shown. Reading resumes at $4; the record before it was stored at $3 (NULL: it is gone).
-- No verdict says whether that record holds personal data, so no hash of it is kept.
UPDATE log.read_position SET halted_reason = NULL, halted_at = NULL, next_offset = $4, last_record_sha256 = NULL,
    last_record_appended_ms = $3
WHERE topic = $1 AND next_offset = $2 AND halted_reason IS NOT NULL
RETURNING true

-- name: acknowledge
-- Only a refusal of the platform's own event is an alarm.
INSERT INTO platform.acknowledged_refusal (index, note)
SELECT index, $2 FROM log.refusal WHERE index = ANY($1::bigint[]) AND agency = 'platform'
ON CONFLICT (index) DO UPDATE SET note = excluded.note
RETURNING index

-- name: acknowledge_all
-- Those that still alarm; what was noted of others stays.
INSERT INTO platform.acknowledged_refusal (index, note)
SELECT index, $1 FROM log.refusal WHERE agency = 'platform'
ON CONFLICT (index) DO NOTHING
RETURNING index
