-- Steps of projects, phases and services, in the order (found_index, index) in which they took effect.
CREATE TABLE history (
    index bigint PRIMARY KEY,
    found_index bigint NOT NULL,
    subject text COLLATE "C" NOT NULL,
    type text NOT NULL,
    agency text NOT NULL,
    happened_on text,
    phase bigint,
    data jsonb NOT NULL
);
