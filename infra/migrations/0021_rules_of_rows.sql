-- The rules that made the rows, where they are files: the version of the set, and of each rule its version, the hash of what
-- it says and its file. A rule that changes must have a higher version, and a removed one is kept here.
ALTER TABLE platform.position ADD COLUMN rules jsonb NOT NULL DEFAULT '{}';
