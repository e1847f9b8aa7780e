CREATE TABLE applied (
    row_id bigint GENERATED ALWAYS AS IDENTITY,
    index bigint PRIMARY KEY,
    event_id text NOT NULL
);
