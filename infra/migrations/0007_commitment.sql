-- How far the read models were committed: entries of the log that are not commitments themselves. It is no read model:
-- a rebuild leaves it alone.
CREATE TABLE platform.commitment (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    entries_count bigint NOT NULL DEFAULT 0 CHECK (entries_count >= 0)
);
INSERT INTO platform.commitment DEFAULT VALUES;
