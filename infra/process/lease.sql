-- name: claim
-- Only database time is compared. Every claim is a new epoch, also by an owner that lost its connection.
-- FOR UPDATE waits for the transaction in which the old owner holds the row (`hold`), then reads the row again: it may
-- have been renewed meanwhile. A claim never waits for a lease that is held.
WITH free AS (
    SELECT FROM platform.lease WHERE name = $1 AND (expires_at < clock_timestamp() OR owner = $2) FOR UPDATE
)
INSERT INTO platform.lease AS l (name, owner, epoch, expires_at)
SELECT $1, $2, 1, clock_timestamp() + $3 * interval '1 ms' FROM (SELECT count(*) FROM free) AS waited
ON CONFLICT (name) DO UPDATE
SET owner = excluded.owner, epoch = l.epoch + 1, expires_at = clock_timestamp() + $3 * interval '1 ms'
WHERE EXISTS (SELECT FROM free)
RETURNING epoch

-- name: renew
UPDATE platform.lease SET expires_at = clock_timestamp() + $3 * interval '1 ms'
WHERE name = $1 AND epoch = $2
RETURNING true

-- name: hold
-- First statement of an owner's transaction: no row means fenced. A claim waits until the transaction ends; the renewal,
-- which changes no key, does not.
SELECT true FROM platform.lease WHERE name = $1 AND epoch = $2 FOR KEY SHARE

-- name: release
UPDATE platform.lease SET expires_at = clock_timestamp() - interval '1 ms' WHERE name = $1 AND epoch = $2
