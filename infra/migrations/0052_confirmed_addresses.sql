-- E-mails go to an address only once its reader has confirmed it, or where its domain is the agency's own.

-- Domains whose addresses an agency gives to its own people: they need no confirmation. Compared whole, without subdomains.
CREATE TABLE delivery.agency_domain (
    agency text NOT NULL,
    domain text NOT NULL CHECK (domain = lower(domain) AND length(domain) <= 253),
    PRIMARY KEY (agency, domain)
);

-- Of an address: its domain, and a hash by which it is known also when it is no contact any more.
ALTER TABLE delivery.contact
    ADD COLUMN added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN domain text GENERATED ALWAYS AS (lower(substring(address FROM '[^@]*$') COLLATE "C")) STORED,
    ADD COLUMN address_sha256 bytea
        GENERATED ALWAYS AS (sha256(replace(lower(address COLLATE "C"), '\', '\\')::bytea)) STORED;

-- What the reader of an address decided about a team's letters, and the letters that asked. `usable_until`: an address from
-- before there were confirmations gets letters until then without one.
CREATE TABLE delivery.recipient (
    recipient_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency text NOT NULL,
    team text NOT NULL,
    address_sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    usable_until timestamptz,
    letters integer NOT NULL DEFAULT 0,
    letter_at timestamptz,
    confirmed_at timestamptz,
    stopped_at timestamptz,
    UNIQUE (agency, team, address_sha256),
    FOREIGN KEY (agency, team) REFERENCES delivery.team
);
CREATE INDEX ON delivery.recipient (address_sha256);

-- The links of letters, by the hash of their token: one that confirms, for some days, and one that stops letters.
CREATE TABLE delivery.mail_link (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    recipient_id bigint NOT NULL REFERENCES delivery.recipient ON DELETE CASCADE,
    action text NOT NULL CHECK (action IN ('confirm', 'stop')),
    expires_at timestamptz
);
CREATE INDEX ON delivery.mail_link (recipient_id);
CREATE INDEX ON delivery.mail_link (expires_at) WHERE expires_at IS NOT NULL;

-- Contacts that are there get letters for 30 days more, and are asked meanwhile.
INSERT INTO delivery.recipient (agency, team, address_sha256, usable_until)
SELECT DISTINCT agency, team, address_sha256, clock_timestamp() + interval '30 days' FROM delivery.contact;
