-- name: endpoints
-- With their active secrets, the newest first.
SELECT e.endpoint_id, e.agency, e.team, e.url, e.seal, e.failing_since, e.disabled_reason,
    array(
        SELECT s.secret_id FROM delivery.endpoint_secret s
        WHERE s.endpoint_id = e.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
        ORDER BY s.secret_id DESC
    ) AS secret_ids,
    array(
        SELECT s.sealed FROM delivery.endpoint_secret s
        WHERE s.endpoint_id = e.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
        ORDER BY s.secret_id DESC
    ) AS sealed
FROM delivery.endpoint e WHERE e.endpoint_id = ANY ($1)

-- name: failing
-- Since when each endpoint fails; NULL: it does not.
UPDATE delivery.endpoint e SET failing_since = f.since
FROM unnest($1::text[], $2::timestamptz[]) AS f (endpoint_id, since) WHERE e.endpoint_id = f.endpoint_id

-- name: disable
UPDATE delivery.endpoint SET disabled_at = clock_timestamp(), disabled_reason = $2
WHERE endpoint_id = $1 AND disabled_at IS NULL
RETURNING agency, team, disabled_at

-- name: tell_owner
-- An e-mail to the team; sent by another part. Of an endpoint that is enabled and disabled again within the second in $4,
-- the team gets one e-mail.
INSERT INTO delivery.message (route, agency, team, endpoint_id, kind, event_id, lane)
VALUES ('email', $1, $2, $3, 'endpoint-disabled', $4, $3)
ON CONFLICT DO NOTHING
