-- What was sent again for a refused record, corrected or not, by what it says: the log then tells where it was accepted.
CREATE TABLE platform.redrive (
    refusal_index bigint NOT NULL,
    claim bytea NOT NULL CHECK (length(claim) = 16),
    identity bytea NOT NULL CHECK (length(identity) = 16),
    event_id text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (refusal_index, claim, identity)
);
