-- One agency's misbehaviour costs that agency time, and the others nothing.

-- A topic of refusals only is paused: nothing of it is skipped, it is read again from `paused_until` on, a record at a
-- time. Records below `uncounted_up_to` were let through by a person and never pause it.
ALTER TABLE log.read_position
    ADD COLUMN paused_until timestamptz,
    ADD COLUMN paused_times integer NOT NULL DEFAULT 0,
    ADD COLUMN paused_reason jsonb,
    ADD COLUMN uncounted_up_to bigint NOT NULL DEFAULT 0,
    ADD CHECK ((paused_until IS NULL) = (paused_reason IS NULL));

-- Numbers without order would make the ranges grow for ever: from the entry `overflowed_index` on, only the highest
-- number is kept.
ALTER TABLE log.sequence_state
    ADD COLUMN highest numeric,
    ADD COLUMN overflowed_index bigint;
UPDATE log.sequence_state SET highest = ceil(upper(range_merge(seen))) - 1 WHERE NOT isempty(seen);

-- The platform's own events that were refused are an alarm until a person has said that the cause is known.
CREATE TABLE platform.acknowledged_refusal (
    index bigint PRIMARY KEY,
    note text NOT NULL,
    acknowledged_at timestamptz NOT NULL DEFAULT now()
);
