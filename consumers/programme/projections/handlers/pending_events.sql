-- Facts about projects and services that are not registered yet, in log order per subject.
CREATE TABLE waiting_count (
    subject text COLLATE "C" PRIMARY KEY,
    count bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL
);

-- Their number by agency.
CREATE TABLE waiting_agency (
    subject text COLLATE "C" NOT NULL,
    agency text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    first_index bigint NOT NULL,
    PRIMARY KEY (subject, agency)
);

CREATE TABLE waiting_fact (
    subject text COLLATE "C" NOT NULL,
    ordinal bigint NOT NULL,
    index bigint NOT NULL,
    recorded text NOT NULL,
    agency text NOT NULL,
    type text NOT NULL,
    event jsonb NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (subject, ordinal)
);
