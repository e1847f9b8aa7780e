-- name: claim
-- Only database time is compared. Every claim is a new epoch, also by an owner that lost its connection.
-- A lease that ends further ahead than any can was given while the database's clock was ahead: it is free, or nobody
-- would work until the corrected clock gets there. An owner that still works is fenced. The bound is ten times the
-- claimant's own length, and at least a minute, the longest that another process's `lease_ms` can be.
-- FOR UPDATE waits for the transaction in which the old owner holds the row (`hold`), then reads the row again: it may
-- have been renewed meanwhile. A claim never waits for a lease that is held.
WITH free AS (
    SELECT FROM platform.lease
    WHERE name = $1
      AND (owner = $2 OR expires_at NOT BETWEEN clock_timestamp()
          AND clock_timestamp() + greatest(10 * $3::double precision, 60000) * interval '1 ms')
    FOR UPDATE
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
-- An end that is past by any clock, also by one that is set back.
UPDATE platform.lease SET expires_at = '-infinity' WHERE name = $1 AND epoch = $2

-- name: owner
-- Who works under the lease now.
SELECT owner FROM platform.lease WHERE name = $1 AND expires_at > clock_timestamp()

-- name: halted
-- Why nobody works under the lease; NULL ends it. While another process works, its halts are nobody's concern.
UPDATE platform.lease SET halted_reason = $2
WHERE name = $1 AND ($2::text IS NULL OR expires_at <= clock_timestamp()) AND halted_reason IS DISTINCT FROM $2

-- name: holders
-- `held` is what a claim of another owner finds.
SELECT name, owner, epoch, expires_at BETWEEN clock_timestamp()
    AND clock_timestamp() + greatest(10 * $1::double precision, 60000) * interval '1 ms' AS held
FROM platform.lease ORDER BY name
