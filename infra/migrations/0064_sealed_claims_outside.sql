-- The claims of some indexes: rows are stored nearly in the order of their indexes, so that a few bytes for each 128 pages find them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_id_by_index ON log.event_id USING brin (index) WITH (autosummarize = on);
