-- name: lock_holder
-- One change at a time per holder, so that two creations cannot both see one active token.
SELECT pg_advisory_xact_lock(hashtextextended('token/' || $1 || '/' || $2, 0))

-- name: active_count
SELECT count(*) FROM platform.token WHERE kind = $1 AND holder = $2 AND revoked_at IS NULL AND expires_at > now()

-- name: expiry
SELECT now() + $1 * interval '1 day'

-- name: add
INSERT INTO platform.token (key_id, kind, holder, scopes, partners, keyed_hash, expires_at, seal, hash_key_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: were_issued
SELECT EXISTS (SELECT FROM platform.token)

-- name: list
SELECT key_id, kind, holder, scopes, partners, created_at, expires_at, last_used_at, revoked_at, keyed_hash, seal,
       CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired'
            WHEN seal IS NULL THEN 'unsealed' ELSE 'active' END AS state
FROM platform.token ORDER BY created_at, key_id

-- name: unsealed
-- A valid token without a seal.
SELECT key_id, kind, holder, scopes, partners, expires_at, keyed_hash FROM platform.token
WHERE key_id = $1 AND seal IS NULL AND revoked_at IS NULL AND expires_at > now() FOR UPDATE

-- name: seal
UPDATE platform.token SET seal = $2 WHERE key_id = $1

-- name: agency_role
SELECT role FROM platform.agency WHERE code = $1

-- name: request_suspension
-- Nothing changes for a suspended agency, unless the end of its suspension is requested, or an earlier release that wrote
-- no event suspended it.
INSERT INTO platform.suspension AS s (agency, reason, event_id) VALUES ($1, $2, $3)
ON CONFLICT (agency) DO UPDATE
    SET reason = excluded.reason, event_id = excluded.event_id, since = now(), index = NULL, ends = false
    WHERE s.ends OR s.event_id IS NULL
RETURNING true

-- name: can_be_suspended
-- Whether a suspension would change anything.
SELECT NOT EXISTS (SELECT FROM platform.suspension WHERE agency = $1 AND NOT ends AND event_id IS NOT NULL)

-- name: request_resumption
UPDATE platform.suspension SET ends = true WHERE agency = $1 AND NOT ends RETURNING true

-- name: is_suspended
SELECT EXISTS (SELECT FROM platform.suspension WHERE agency = $1)
