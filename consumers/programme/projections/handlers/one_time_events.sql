-- Workshops announced and held, frameworks published, initiatives announced: each once.
CREATE TABLE occasion (
    subject text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    agency text NOT NULL,
    happened_on text NOT NULL,
    data jsonb NOT NULL,
    index bigint NOT NULL,
    PRIMARY KEY (subject, what)
);
