-- name: accounts
-- All of them, as their seals cover them.
SELECT username, role, holder, team, partners, oidc_subject, disabled_at, seal, password_sha256, must_change_password
FROM console.sealed_account

-- name: unused
-- The unused approvals and open requests of an act, the newest first. `now` is the time by which they are judged.
SELECT *, clock_timestamp() AS now FROM console.approval
WHERE digest = $1 AND used_at IS NULL AND requested_at > clock_timestamp() - interval '48 hours'
ORDER BY requested_at DESC, approval_id DESC

-- name: request
INSERT INTO console.approval (act, arguments, digest, operator) VALUES ($1, $2, $3, $4)
RETURNING approval_id, requested_at

-- name: use
UPDATE console.approval SET used_at = clock_timestamp() WHERE approval_id = $1 AND used_at IS NULL RETURNING true
