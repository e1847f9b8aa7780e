-- name: tokens
-- A holder's tokens, without what would let anyone use them.
SELECT key_id, scopes, created_at, expires_at, last_used_at, revoked_at,
       CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= $3 THEN 'expired' ELSE 'active' END AS state
FROM platform.token WHERE kind = $1 AND holder = $2 ORDER BY created_at DESC, key_id
