-- name: claim
-- Only database time is compared. Every claim is a new epoch, also by an owner that lost its connection.
INSERT INTO platform.lease AS l (name, owner, epoch, expires_at)
VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 ms')
ON CONFLICT (name) DO UPDATE
SET owner = excluded.owner, epoch = l.epoch + 1, expires_at = excluded.expires_at
WHERE l.expires_at < clock_timestamp() OR l.owner = excluded.owner
RETURNING epoch

-- name: renew
-- Also the first statement of an owner's transaction: no row means fenced.
UPDATE platform.lease SET expires_at = clock_timestamp() + $3 * interval '1 ms'
WHERE name = $1 AND epoch = $2
RETURNING true

-- name: release
UPDATE platform.lease SET expires_at = clock_timestamp() - interval '1 ms' WHERE name = $1 AND epoch = $2
