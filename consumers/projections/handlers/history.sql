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
CREATE INDEX history_of_subject ON history (subject, found_index, index);
CREATE INDEX history_by_day ON history (happened_on, found_index);
