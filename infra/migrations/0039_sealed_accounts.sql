-- A keyed hash of what an account and a session say, under a key that only the console and `yesser accounts` have. A row
-- without one is of an earlier release, or was written by nobody who has the key: it signs nobody in.
ALTER TABLE console.account ADD COLUMN seal bytea CHECK (length(seal) = 32);
ALTER TABLE console.session ADD COLUMN seal bytea CHECK (length(seal) = 32);
-- Sessions of before have no seal.
DELETE FROM console.session;
