-- name: tokens
-- Valid tokens by the key of their hash; NULL for those of earlier releases, which had one key.
SELECT hash_key_id, count(*) AS tokens FROM platform.token
WHERE revoked_at IS NULL AND expires_at > now() GROUP BY hash_key_id;

-- name: one_rotation
-- Until the session ends: one command replaces passwords at a time.
SELECT pg_advisory_lock(7370007)
