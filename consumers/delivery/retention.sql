-- name: messages
-- Messages that ended so many days ago, with what is left of their attempts. One that waits stays.
WITH old AS (
    SELECT message_id FROM delivery.message
    WHERE ended_at < clock_timestamp() - make_interval(days => $1) ORDER BY ended_at LIMIT $2
), attempts AS (
    DELETE FROM delivery.attempt a USING old WHERE a.message_id = old.message_id
)
DELETE FROM delivery.message m USING old WHERE m.message_id = old.message_id

-- name: attempts
DELETE FROM delivery.attempt a USING (
    SELECT message_id, number FROM delivery.attempt
    WHERE at < clock_timestamp() - make_interval(days => $1) ORDER BY at LIMIT $2
) old
WHERE a.message_id = old.message_id AND a.number = old.number

-- name: notices
-- What a message still waits to tell stays.
DELETE FROM delivery.notice n USING (
    SELECT notice_id FROM delivery.notice o
    WHERE made_at < clock_timestamp() - make_interval(days => $1)
        AND NOT EXISTS (SELECT FROM delivery.message m WHERE m.agency = o.agency AND m.kind = o.type AND m.event_id = o.notice_id)
    ORDER BY made_at LIMIT $2
) old
WHERE n.notice_id = old.notice_id

-- name: noted
-- By then the token or certificate has expired, and the month is over. A silence stays until the event comes.
DELETE FROM delivery.noted n USING (
    SELECT agency, type, item FROM delivery.noted
    WHERE noted_at < clock_timestamp() - make_interval(days => $1) AND type IN ('notice.credential', 'notice.certificate', 'notice.resumed')
    ORDER BY noted_at LIMIT $2
) old
WHERE (n.agency, n.type, n.item) = (old.agency, old.type, old.item)

-- name: links
DELETE FROM delivery.mail_link l USING (
    SELECT token_sha256 FROM delivery.mail_link
    WHERE expires_at < clock_timestamp() - make_interval(days => $1) ORDER BY expires_at LIMIT $2
) old
WHERE l.token_sha256 = old.token_sha256

-- name: recipients
-- With the links of their letters.
DELETE FROM delivery.recipient r USING (
    SELECT recipient_id FROM delivery.recipient o
    WHERE stopped_at IS NULL AND coalesce(letter_at, created_at) < clock_timestamp() - make_interval(days => $1)
        AND NOT EXISTS (SELECT FROM delivery.contact c
                        WHERE (c.agency, c.team, c.address_sha256) = (o.agency, o.team, o.address_sha256))
    LIMIT $2
) old
WHERE r.recipient_id = old.recipient_id
