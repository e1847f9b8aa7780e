-- name: size
SELECT size FROM log.state

-- name: sequences
-- What the registrar kept of each agency; `not_in_log`: numbers of records that were read and are no entry of their own.
SELECT agency, accepted, repeated, seen - accepted AS not_in_log, overflowed_index FROM log.sequence_state
