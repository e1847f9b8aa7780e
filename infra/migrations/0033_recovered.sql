-- The first `recovered_to` entries are those that the last `yesser recover` found or brought back: what was decided on them
-- was decided before the database was lost.
ALTER TABLE log.state ADD COLUMN recovered_to bigint NOT NULL DEFAULT 0;

-- `position`: how many entries its decider had applied; none where it follows from no entry's rows: a registration, a
-- commitment. What was decided again on recovered entries and is not in the log is held: a person releases it to be sent, or
-- discards it. Rows of discarded ones stay, so that nothing decides them again.
ALTER TABLE platform.outbox
    ADD COLUMN position bigint,
    ADD COLUMN held_at timestamptz,
    ADD COLUMN released_at timestamptz,
    ADD COLUMN discarded_at timestamptz;
