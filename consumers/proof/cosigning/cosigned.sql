-- name: keep
-- Only for the relay of this epoch. The first one must be of the newest checkpoint: readers were served that one until
-- now, and never see an earlier one after it.
INSERT INTO platform.cosigned_checkpoint (size, note)
SELECT $1, $2
WHERE EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $3)
  AND (EXISTS (SELECT FROM platform.cosigned_checkpoint) OR NOT EXISTS (SELECT FROM log.checkpoint WHERE size > $1))
ON CONFLICT (singleton) DO UPDATE SET size = excluded.size, note = excluded.note
WHERE cosigned_checkpoint.size <= excluded.size

-- name: kept_size
-- 0 before the first one.
SELECT coalesce(max(size), 0) FROM platform.cosigned_checkpoint

-- name: forget
-- Where no witnesses are configured any more, the newest checkpoint is served again.
DELETE FROM platform.cosigned_checkpoint
WHERE EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $1)

-- name: forget_older
-- Where the quorum needs nobody, a newer checkpoint satisfies it before anyone cosigns it, and is served at once.
DELETE FROM platform.cosigned_checkpoint
WHERE size < $2 AND EXISTS (SELECT FROM platform.lease WHERE name = 'relay' AND epoch = $1)
