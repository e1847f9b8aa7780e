-- name: begin_sealing
-- Shared, until the transaction ends: a rotation waits for it, and it for a rotation.
SELECT pg_advisory_xact_lock_shared(7370008)

-- name: begin_rotation
SELECT pg_advisory_lock(7370008)

-- name: end_rotation
SELECT pg_advisory_unlock(7370008)

-- name: accounts
SELECT username, role, holder, team, partners, password_hash, must_change_password, oidc_subject, disabled_at, seal
FROM console.account ORDER BY username FOR UPDATE

-- name: seal_account
UPDATE console.account SET seal = $2 WHERE username = $1

-- name: sessions
SELECT session_sha256, username, csrf, created_at, sid_sha256, seal AS session_seal
FROM console.session ORDER BY session_sha256 FOR UPDATE

-- name: seal_session
UPDATE console.session SET seal = $2 WHERE session_sha256 = $1
