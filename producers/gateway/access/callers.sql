-- name: token
-- A token that is valid now, with its agency as registered in the log.
SELECT t.key_id, t.kind, t.holder, t.scopes, t.partners, t.expires_at, t.keyed_hash, t.hash_key_id, t.seal, a.role,
       s.agency IS NOT NULL AS is_suspended,
       p.halted_reason, p.paused_until, p.paused_reason
FROM platform.token t
LEFT JOIN platform.agency a ON a.code = t.holder AND t.kind IN ('agency', 'office')
LEFT JOIN platform.suspension s ON s.agency = a.code
LEFT JOIN log.read_position p ON p.topic = 'agency.' || a.code || '.events'
WHERE t.key_id = $1 AND t.revoked_at IS NULL AND t.expires_at > now()

-- name: agency
SELECT a.role, s.agency IS NOT NULL AS is_suspended, p.halted_reason, p.paused_until, p.paused_reason
FROM platform.agency a LEFT JOIN platform.suspension s ON s.agency = a.code
LEFT JOIN log.read_position p ON p.topic = 'agency.' || a.code || '.events'
WHERE a.code = $1

-- name: console_account
-- The agency $3, if the console's account $1 is active, has role $2 and sends as this agency. The office's accounts name
-- none. With a first password an account sends nothing.
SELECT a.role, s.agency IS NOT NULL AS is_suspended, p.halted_reason, p.paused_until, p.paused_reason
FROM console.account c JOIN platform.agency a ON a.code = $3
LEFT JOIN platform.suspension s ON s.agency = a.code
LEFT JOIN log.read_position p ON p.topic = 'agency.' || a.code || '.events'
WHERE c.username = $1 AND c.role = $2 AND c.disabled_at IS NULL AND NOT c.must_change_password
    AND (c.holder = a.code OR (c.role = 'office' AND a.role = 'office'))

-- name: used
UPDATE platform.token SET last_used_at = now() WHERE key_id = ANY($1::text[])
