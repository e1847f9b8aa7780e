-- The first `recovered_to` entries are those that the last `yesser recover` found or brought back: what was decided on them
-- was decided before the database was lost.
ALTER TABLE log.state ADD COLUMN recovered_to bigint NOT NULL DEFAULT 0;

-- How many entries its decider had applied; none where it follows from no entry's rows: a registration, a commitment.
ALTER TABLE platform.outbox ADD COLUMN position bigint;

-- What was decided again on recovered entries and is not in the log: a person sends it or discards it. Rows of discarded
-- ones stay, so that nothing decides them again.
CREATE TABLE platform.held_event (
    event_id text PRIMARY KEY,
    key text NOT NULL,
    value bytea NOT NULL,
    cause_index bigint,
    held_at timestamptz NOT NULL DEFAULT now(),
    discarded_at timestamptz
);
