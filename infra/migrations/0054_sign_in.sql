-- Whether the password is one that an administrator made: the person chooses another before anything else. Sealed.
ALTER TABLE console.account
    ADD COLUMN must_change_password boolean NOT NULL DEFAULT false,
    ADD CHECK (NOT must_change_password OR password_hash IS NOT NULL);

CREATE OR REPLACE VIEW console.sealed_account AS
SELECT username, role, holder, team, partners, oidc_subject, disabled_at, seal,
    sha256(convert_to(password_hash, 'UTF8')) AS password_sha256, must_change_password
FROM console.account;

-- The identity provider's session that a session came from: SHA-256 of its id (`sid`). Sealed.
ALTER TABLE console.session ADD COLUMN sid_sha256 bytea CHECK (length(sid_sha256) = 32);

-- Logout tokens of the identity provider that were used and are still valid: each counts once.
CREATE TABLE console.logout_token (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    valid_until timestamptz NOT NULL
);
