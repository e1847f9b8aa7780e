-- Fingerprints of the claims in `log.event_id`, by the claims' first byte (`part`) and ranges of indexes that follow one another
-- from 0. They follow from the claims: the registrar makes them, merges neighbours, and makes them again where one is damaged.
CREATE TABLE log.sealed_claims (
    part smallint NOT NULL CHECK (part BETWEEN 0 AND 255),
    first_index bigint NOT NULL CHECK (first_index >= 0),
    end_index bigint NOT NULL CHECK (end_index > first_index),
    claims_count integer NOT NULL CHECK (claims_count >= 0),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    fingerprints bytea NOT NULL,
    PRIMARY KEY (part, first_index)
);
-- Hashes do not compress.
ALTER TABLE log.sealed_claims ALTER COLUMN fingerprints SET STORAGE EXTERNAL;
