-- One row per log entry, to find an event by subject, type, sender or id.
CREATE TABLE event (
    index bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    agency text COLLATE "C" NOT NULL,
    time text NOT NULL
);
