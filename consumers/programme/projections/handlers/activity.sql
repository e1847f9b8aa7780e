-- Accepted events by agency and type; refused records by agency.
CREATE TABLE activity (
    agency text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    count bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    PRIMARY KEY (agency, type)
) WITH (fillfactor = 50);

CREATE TABLE refusals (
    agency text COLLATE "C" PRIMARY KEY,
    count bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL
) WITH (fillfactor = 50);
