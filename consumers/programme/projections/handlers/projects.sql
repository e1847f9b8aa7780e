-- Projects with their current state. `started` includes the completed phases; both are prefixes 1 … n.
CREATE TABLE project (
    project_id text COLLATE "C" PRIMARY KEY,
    plan_id text NOT NULL,
    kind text NOT NULL,
    name jsonb NOT NULL,
    owner text NOT NULL,
    phases bigint NOT NULL,
    phase_names jsonb NOT NULL,
    started bigint NOT NULL,
    completed bigint NOT NULL,
    cancelled boolean NOT NULL,
    cancelled_on text,
    state text NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    count bigint NOT NULL
);
