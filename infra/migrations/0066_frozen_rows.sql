-- Rows that never change are frozen by the first vacuum, while their pages are in memory. Otherwise a vacuum months later writes each
-- page of the log again, and so does the next incremental backup (docs/decisions/partitions-by-index.md).
ALTER TABLE log.segment SET (autovacuum_freeze_min_age = 0, toast.autovacuum_freeze_min_age = 0);
ALTER TABLE log.node SET (autovacuum_freeze_min_age = 0);
ALTER TABLE log.event_id SET (autovacuum_freeze_min_age = 0);
ALTER TABLE log.run SET (autovacuum_freeze_min_age = 0);
ALTER TABLE log.duplicate SET (autovacuum_freeze_min_age = 0);
ALTER TABLE log.refusal SET (autovacuum_freeze_min_age = 0, toast.autovacuum_freeze_min_age = 0);
