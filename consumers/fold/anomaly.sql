CREATE TABLE anomaly (
    index bigint PRIMARY KEY,
    found_index bigint NOT NULL,
    rule text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    agency text NOT NULL,
    claimed jsonb NOT NULL,
    known jsonb NOT NULL
);
