-- Adopted plans with their current targets, and which of them is shown.
CREATE TABLE plan (
    plan_id text COLLATE "C" PRIMARY KEY,
    name jsonb NOT NULL,
    starts_on text NOT NULL,
    ends_on text NOT NULL,
    targets jsonb NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    count bigint NOT NULL
);

CREATE TABLE shown_plan (
    slot bigint PRIMARY KEY CHECK (slot = 1),
    plan_id text NOT NULL,
    targets jsonb NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL
);
