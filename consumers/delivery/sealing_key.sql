-- name: one_at_a_time
-- Until the session ends: a second rotation would put another key in use than the first one sealed for.
SELECT pg_advisory_lock(7370006);

-- name: wait_for_writers
-- Until the end of the transaction. It waits for those that have read the key before and store a secret for it.
LOCK TABLE delivery.sealing_key IN ACCESS EXCLUSIVE MODE;

-- name: publish
INSERT INTO delivery.sealing_key (slot, public_key) VALUES (1, $1)
ON CONFLICT (slot) DO UPDATE SET public_key = excluded.public_key;

-- name: secrets
SELECT endpoint_id, secret_id, sealed FROM delivery.endpoint_secret;

-- name: seal_again
UPDATE delivery.endpoint_secret SET sealed = $3 WHERE endpoint_id = $1 AND secret_id = $2;
