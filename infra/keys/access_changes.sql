-- name: lock
-- One at a time: `yesser recover` beside `yesser prepare`.
SELECT pg_advisory_xact_lock(7370005)

-- name: tokens
SELECT key_id, revoked_at FROM platform.token

-- name: accounts
SELECT username, role, holder, team, partners, password_hash, must_change_password, password_set_at, oidc_subject,
    disabled_at, seal
FROM console.account FOR UPDATE

-- name: revoke
-- Without hash and seal, clearing `revoked_at` does not bring the token back.
UPDATE platform.token
SET revoked_at = coalesce(revoked_at, now()), keyed_hash = sha256(convert_to(key_id, 'UTF8')), seal = NULL
WHERE key_id = $1 RETURNING holder

-- name: change_account
UPDATE console.account SET disabled_at = $2, password_hash = $3, must_change_password = $4, seal = $5 WHERE username = $1

-- name: end_sessions
DELETE FROM console.session
