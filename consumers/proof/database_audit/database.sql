-- name: gap
-- The first segment that does not begin where the one before it ends.
SELECT first_index, due FROM (
    SELECT first_index, lag(first_index + entries_count, 1, 0::bigint) OVER (ORDER BY first_index) AS due FROM log.segment
) AS s WHERE first_index <> due ORDER BY first_index LIMIT 1

-- name: state
SELECT size, recorded, shipped_up_to,
       coalesce((SELECT max(first_index + entries_count) FROM log.segment), 0) AS entries_count
FROM log.state

-- name: event_ids
SELECT index, encode(claim, 'hex') AS claim, encode(identity, 'hex') AS identity FROM log.event_id ORDER BY index, claim

-- name: claims_of_part
-- In the order of the primary key: between two claims.
SELECT claim, index FROM log.event_id WHERE claim >= $1 AND claim <= $2 ORDER BY claim

-- name: refusals
-- With the hash of the kept value.
SELECT r.index, r.agency, r.address, r.claimed_id, r.claimed_type, r.errors,
       d.value IS NOT NULL AS is_kept, encode(sha256(d.value), 'hex') AS sha256
FROM log.refusal r LEFT JOIN log.dead_letter d ON d.index = r.index ORDER BY r.index

-- name: texts
SELECT index, member, encode(sha256, 'hex') AS sha256, salt, value, withheld_index FROM log.text
ORDER BY index, member COLLATE "C"

-- name: texts_to_withhold
-- Of these entries and members, what is kept.
SELECT t.index, t.member, t.value, t.withheld_index
FROM log.text t JOIN unnest($1::bigint[], $2::text[]) AS w (index, member) USING (index, member)

-- name: dead_letter_alone
SELECT index FROM log.dead_letter d WHERE NOT EXISTS (SELECT FROM log.refusal r WHERE r.index = d.index)
ORDER BY index LIMIT 1

-- name: runs
SELECT first_index, topic, first_offset, entries_count FROM log.run ORDER BY first_index, topic, first_offset

-- name: checkpoints
SELECT size, note FROM log.checkpoint ORDER BY size

-- name: wrong_duplicate
-- A duplicate is of an accepted event, and no entry has its address.
SELECT d.topic, d."offset", d.of_index FROM log.duplicate d
LEFT JOIN LATERAL (
    SELECT r.first_offset + r.entries_count AS end_offset FROM log.run r
    WHERE r.topic = d.topic AND r.first_offset <= d."offset" ORDER BY r.first_offset DESC LIMIT 1
) AS before ON true
WHERE d.of_index < 0 OR d.of_index >= $1 OR before.end_offset > d."offset"
   OR EXISTS (SELECT FROM log.refusal f WHERE f.index = d.of_index)
ORDER BY d.of_index, d.topic, d."offset" LIMIT 1

-- name: last_duplicates
SELECT topic, max("offset") AS "offset", max(of_index) AS index FROM log.duplicate GROUP BY topic

-- name: positions
-- `was_moved`: an operator lifted a halt of the topic, which may pass over records that were deleted unread.
SELECT p.topic, p.next_offset, EXISTS (
    SELECT FROM platform.trail t WHERE 'agency.' || split_part(t.command, ' ', 3) || '.events' = p.topic
        AND t.command LIKE 'registrar unhalt %'
) AS was_moved
FROM log.read_position p

-- name: sequences
SELECT agency, accepted, repeated, highest, overflowed_index FROM log.sequence_state

-- name: wrong_sequence
-- The numbers seen include the accepted ones, and the highest number is that of the last month.
SELECT s.agency, s.highest, m.highest AS month_highest FROM log.sequence_state s
LEFT JOIN (SELECT agency, max(highest) AS highest FROM log.sequence_month GROUP BY agency) AS m USING (agency)
WHERE NOT s.accepted <@ s.seen OR s.highest IS DISTINCT FROM m.highest
   OR (s.overflowed_index IS NULL AND s.highest IS DISTINCT FROM ceil(upper(range_merge(s.seen))) - 1)
ORDER BY s.agency LIMIT 1

-- name: agencies
SELECT code, role, name, registered_index FROM platform.agency

-- name: suspensions
SELECT agency, reason, index FROM platform.suspension

-- name: request_without_event
-- A suspension that is not in the log, though its event is not waiting and its request is not new.
SELECT agency, reason, since FROM platform.suspension s
WHERE index IS NULL AND NOT EXISTS (SELECT FROM platform.outbox o WHERE o.event_id = s.event_id)
  AND (event_id IS NULL OR since NOT BETWEEN now() - interval '1 hour' AND now() + interval '1 minute')
ORDER BY agency LIMIT 1

-- name: token_without_seal
-- A valid token must have one: nothing shows whether its row was changed. A revoked one has none.
SELECT key_id, holder FROM platform.token
WHERE seal IS NULL AND revoked_at IS NULL AND expires_at > now() ORDER BY key_id LIMIT 1

-- name: tokens
-- A revoked one has no seal, and nobody can use one that has expired.
SELECT key_id, kind, holder, scopes, partners, expires_at, keyed_hash, seal FROM platform.token
WHERE revoked_at IS NULL AND expires_at > now() ORDER BY key_id

-- name: accounts
SELECT username, role, holder, team, partners, oidc_subject, disabled_at, seal, password_sha256, must_change_password
FROM console.sealed_account ORDER BY username

-- name: teams
SELECT *, agency || '/' || team AS id FROM delivery.sealed_team ORDER BY agency, team

-- name: endpoints
SELECT *, endpoint_id AS id FROM delivery.sealed_endpoint ORDER BY endpoint_id

-- name: subscriptions
SELECT *, subscription_id::text AS id FROM delivery.subscription ORDER BY subscription_id

-- name: position_beyond
-- A consumer cannot have applied more than the log holds.
SELECT consumer, position FROM platform.position WHERE position > $1 ORDER BY consumer LIMIT 1

-- name: trail
-- Every link with its row, in the order of the chain; rows without a link come last.
SELECT l.position, l.sha256, coalesce(l.row_id, t.row_id) AS row_id,
       t.at, t.role, t.account, t.operator, t.host, t.command, t.event_ids
FROM platform.trail_link l FULL JOIN platform.trail t ON t.row_id = l.row_id ORDER BY l.position, t.row_id
