-- name: account
SELECT username, role, holder, team, partners, language, password_hash, must_change_password, oidc_subject, disabled_at,
    seal
FROM console.account WHERE username = $1

-- name: account_by_subject
SELECT username, role, holder, team, partners, language, password_hash, must_change_password, oidc_subject, disabled_at,
    seal
FROM console.account WHERE oidc_subject = $1

-- name: accounts
SELECT username, role, holder, team, partners, language, password_hash, must_change_password, oidc_subject, created_at,
    last_sign_in_at, disabled_at, seal
FROM console.account ORDER BY username

-- name: add_account
INSERT INTO console.account (
    username, role, holder, team, partners, language, password_hash, must_change_password, oidc_subject, seal
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: locked_account
-- Until the end of the transaction: its new seal is of what it says now.
SELECT username, role, holder, team, partners, language, password_hash, must_change_password, oidc_subject, created_at,
    last_sign_in_at, disabled_at, seal
FROM console.account WHERE username = $1 FOR UPDATE

-- name: set_password
UPDATE console.account SET password_hash = $2, must_change_password = $3, seal = $4, password_set_at = now()
WHERE username = $1

-- name: set_language
UPDATE console.account SET language = $2 WHERE username = $1

-- name: disable_account
UPDATE console.account SET disabled_at = $2, seal = $3 WHERE username = $1

-- name: seal_account
UPDATE console.account SET seal = $2 WHERE username = $1

-- name: end_sessions
DELETE FROM console.session WHERE username = $1

-- name: signed_in
-- Nothing where the password is not the one of the hash $2 any more. A change of it ends the sessions of before.
UPDATE console.account SET last_sign_in_at = clock_timestamp()
WHERE username = $1 AND ($2::text IS NULL OR password_hash = $2) RETURNING true

-- name: begin_session
INSERT INTO console.session (session_sha256, username, csrf, created_at, seen_at, sid_sha256, seal)
VALUES ($1, $2, $3, $4, $4, $5, $6)

-- name: session
-- A session that is valid at $2; `is_stale` when its last use should be written again.
SELECT a.username, a.role, a.holder, a.team, a.partners, a.language, a.password_hash, a.must_change_password,
    a.oidc_subject, a.disabled_at, a.seal, s.session_sha256, s.csrf, s.created_at, s.sid_sha256,
    s.seal AS session_seal,
    EXISTS (SELECT FROM platform.suspension p WHERE p.agency = a.holder) AS is_suspended,
    s.seen_at < $2::timestamptz - interval '1 minute' AS is_stale
FROM console.session s JOIN console.account a USING (username)
WHERE s.session_sha256 = $1 AND a.disabled_at IS NULL AND s.created_at > $2::timestamptz - $3::interval
    AND s.seen_at > $2::timestamptz - $4::interval

-- name: sessions
-- An account's sessions that are valid at $3.
SELECT session_sha256 = $2 AS is_this, created_at, seen_at FROM console.session
WHERE username = $1 AND created_at > $3::timestamptz - $4::interval AND seen_at > $3::timestamptz - $5::interval
ORDER BY seen_at DESC

-- name: end_other_sessions
DELETE FROM console.session WHERE username = $1 AND session_sha256 <> $2

-- name: seen
UPDATE console.session SET seen_at = $2 WHERE session_sha256 = $1

-- name: end_session
DELETE FROM console.session WHERE session_sha256 = $1

-- name: remove_ended
DELETE FROM console.session WHERE created_at <= $1::timestamptz - $2::interval
    OR seen_at <= $1::timestamptz - $3::interval

-- name: use_logout_token
-- Nothing where it was used before.
INSERT INTO console.logout_token (token_sha256, valid_until) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true

-- name: remove_logout_tokens
DELETE FROM console.logout_token WHERE valid_until < $1

-- name: end_sessions_of_provider
-- Of a subject, or of one of its sessions at the provider, or of this session alone.
DELETE FROM console.session s USING console.account a
WHERE a.username = s.username AND ($1::text IS NULL OR a.oidc_subject = $1)
    AND ($2::bytea IS NULL OR s.sid_sha256 = $2) AND NOT ($1::text IS NULL AND $2::bytea IS NULL)
RETURNING s.session_sha256, s.username
