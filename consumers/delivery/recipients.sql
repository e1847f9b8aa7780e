-- name: recipients
-- A team's contacts, the first to be written to first, with what their readers decided.
SELECT c.address, c.added_at, d.domain IS NOT NULL AS is_own_domain, r.recipient_id, r.created_at, r.usable_until,
    r.confirmed_at, r.stopped_at
FROM delivery.contact c
LEFT JOIN delivery.recipient r USING (agency, team, address_sha256)
LEFT JOIN delivery.agency_domain d USING (agency, domain)
WHERE c.agency = $1 AND c.team = $2 ORDER BY c.rank

-- name: team_and_contacts
-- To be compared with its seal.
SELECT t.agency, t.team, t.name, t.language, t.closed_at, t.seal,
    array(SELECT c.address FROM delivery.contact c
          WHERE (c.agency, c.team) = (t.agency, t.team) ORDER BY c.rank) AS contacts
FROM delivery.team t WHERE t.agency = $1 AND t.team = $2

-- name: adopt
-- The recipients of contacts (NULL: of all teams) that have none yet.
INSERT INTO delivery.recipient (agency, team, address_sha256)
SELECT DISTINCT agency, team, address_sha256 FROM delivery.contact
WHERE ($1::text IS NULL OR agency = $1) AND ($2::text IS NULL OR team = $2)
EXCEPT SELECT agency, team, address_sha256 FROM delivery.recipient
ON CONFLICT DO NOTHING

-- name: not_sent
-- The newest e-mails to a team that were not sent.
SELECT m.kind, m.campaign_id, a.at, a.error AS reason
FROM delivery.message m JOIN delivery.attempt a ON a.message_id = m.message_id AND a.number = m.attempts
WHERE m.agency = $1 AND m.team = $2 AND m.route = 'email' AND m.state = 'failed'
ORDER BY m.message_id DESC LIMIT $3

-- name: add_link
INSERT INTO delivery.mail_link (token_sha256, recipient_id, action, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (token_sha256) DO UPDATE SET expires_at = EXCLUDED.expires_at

-- name: link
SELECT l.action, r.recipient_id, r.agency, r.team, r.confirmed_at, r.stopped_at
FROM delivery.mail_link l JOIN delivery.recipient r USING (recipient_id)
WHERE l.token_sha256 = $1 AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp())

-- name: confirm
UPDATE delivery.recipient SET confirmed_at = coalesce(confirmed_at, clock_timestamp()), stopped_at = NULL
WHERE recipient_id = $1

-- name: stop
UPDATE delivery.recipient SET stopped_at = coalesce(stopped_at, clock_timestamp()) WHERE recipient_id = $1

-- name: resume
UPDATE delivery.recipient SET stopped_at = NULL WHERE recipient_id = $1
