-- Who may sign in to the console, and who is signed in. Nothing here is derived from the log.
CREATE SCHEMA console;

-- An account is of a desk or a role. `holder` is the agency of an agency's account and of its campaign team; `team` is
-- that team; `partners` are AGENCY/PARTNER_ID, as for a partner's token. Without a password hash only the identity
-- provider of `oidc_subject` signs in.
CREATE TABLE console.account (
    username text PRIMARY KEY CHECK (username ~ '^[a-z][a-z0-9._-]{1,62}$'),
    role text NOT NULL CHECK (
        role IN ('office', 'agency', 'team', 'partner', 'treasury', 'auditor', 'administrator')
    ),
    holder text,
    team text,
    partners text[] NOT NULL DEFAULT '{}',
    language text NOT NULL DEFAULT 'ar' CHECK (language IN ('ar', 'en')),
    password_hash text,
    oidc_subject text UNIQUE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_sign_in_at timestamptz,
    disabled_at timestamptz,
    CHECK ((holder IS NOT NULL) = (role IN ('agency', 'team'))),
    CHECK ((team IS NOT NULL) = (role = 'team')),
    CHECK ((cardinality(partners) > 0) = (role = 'partner'))
);

-- `session_sha256` is the hash of the cookie's value, which stands nowhere else.
CREATE TABLE console.session (
    session_sha256 bytea PRIMARY KEY CHECK (length(session_sha256) = 32),
    username text NOT NULL REFERENCES console.account,
    csrf text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON console.session (username);
