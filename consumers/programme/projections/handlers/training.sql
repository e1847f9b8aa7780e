-- Training against quota. Counts exist for every year and track that has a certificate, with or without a quota.
CREATE TABLE quota (
    calendar text COLLATE "C" NOT NULL,
    year bigint NOT NULL,
    track text COLLATE "C" NOT NULL,
    seats bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (calendar, year, track)
);

CREATE TABLE certificate (
    agency text COLLATE "C" NOT NULL,
    certificate_id text COLLATE "C" NOT NULL,
    trainee text COLLATE "C" NOT NULL,
    track text COLLATE "C" NOT NULL,
    certified_on text COLLATE "C" NOT NULL,
    first_index bigint NOT NULL,
    revoked_index bigint,
    PRIMARY KEY (agency, certificate_id)
);

CREATE TABLE training_count (
    calendar text COLLATE "C" NOT NULL,
    year bigint NOT NULL,
    track text COLLATE "C" NOT NULL,
    certified bigint NOT NULL,
    revoked bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    PRIMARY KEY (calendar, year, track)
);
