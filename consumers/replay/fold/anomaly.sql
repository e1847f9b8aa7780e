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

-- How many there are, so that nothing counts them.
CREATE TABLE anomaly_count (
    slot bigint PRIMARY KEY CHECK (slot = 1),
    count bigint NOT NULL CHECK (count >= 1),
    first_index bigint NOT NULL,
    last_index bigint NOT NULL
) WITH (fillfactor = 50);
