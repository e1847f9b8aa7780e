-- The breaker of a topic counts duplicates, conflicts and refusals, and survives the end of an epoch: its counts are
-- written with the records that they count.
ALTER TABLE log.read_position
    ADD COLUMN breaker_levels bigint[] NOT NULL DEFAULT '{0,0,0}',
    ADD COLUMN paused_cause text CHECK (paused_cause IN ('duplicate', 'conflict', 'refused'));
UPDATE log.read_position SET paused_cause = 'refused' WHERE paused_until IS NOT NULL;
