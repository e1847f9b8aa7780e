-- The service directory, and its counts by plan and group.
CREATE TABLE service (
    service_id text COLLATE "C" PRIMARY KEY,
    plan_id text NOT NULL,
    group_number bigint NOT NULL,
    name jsonb NOT NULL,
    owner text NOT NULL,
    launched_on text,
    launched_index bigint,
    channels jsonb,
    url text,
    suspended boolean NOT NULL,
    retired boolean NOT NULL,
    state text NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    count bigint NOT NULL
);

CREATE TABLE service_group (
    plan_id text COLLATE "C" NOT NULL,
    group_number bigint NOT NULL,
    registered bigint NOT NULL,
    launched bigint NOT NULL,
    live bigint NOT NULL,
    suspended bigint NOT NULL,
    retired bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    PRIMARY KEY (plan_id, group_number)
);
