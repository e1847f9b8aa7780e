-- One row per log entry, to find an event by subject, type, sender or id.
CREATE TABLE event (
    index bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    agency text COLLATE "C" NOT NULL,
    time text NOT NULL
);
CREATE INDEX event_by_subject ON event (subject, index);
CREATE INDEX event_by_type ON event (type, index);
CREATE INDEX event_by_agency ON event (agency, index);
CREATE INDEX event_by_id ON event (id, index);
