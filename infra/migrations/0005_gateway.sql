-- Who may speak over HTTP. A token itself is never kept: `keyed_hash` is its HMAC under a key that is no part of the
-- database, so that a copy of this table opens nothing.
CREATE TABLE platform.token (
    key_id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('agency', 'office', 'partner', 'auditor')),
    holder text NOT NULL,
    scopes text[] NOT NULL,
    keyed_hash bytea NOT NULL CHECK (length(keyed_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX ON platform.token (kind, holder);

-- Agencies that may not send for now: their tokens are refused and their rights on Kafka are taken.
CREATE TABLE platform.suspension (
    agency text PRIMARY KEY,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);

-- An agency asks what became of an id that was refused.
CREATE INDEX refusal_by_claimed_id ON log.refusal (agency, claimed_id) WHERE claimed_id IS NOT NULL;
