-- How far each consumer's read models were committed, under each version of its rows; and the rotations of the log's key,
-- as `log-keys`. `entries_count`: at least so many of the entries before `log_index` count as growth. It is no read model: a
-- rebuild leaves it alone. (`platform.commitment` stays for a relay of the earlier release.)
CREATE TABLE platform.committed (
    consumer text NOT NULL,
    fold_version text NOT NULL,
    log_index bigint NOT NULL CHECK (log_index >= 0),
    entries_count bigint NOT NULL CHECK (entries_count >= 0),
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, fold_version)
);
-- The first day of every consumer begins with this row.
INSERT INTO platform.committed (consumer, fold_version, log_index, entries_count)
SELECT 'log-keys', '', 0, keys_count FROM platform.commitment;
