-- When the password was set last: a restored copy may have the one before.
ALTER TABLE console.account ADD COLUMN password_set_at timestamptz;

-- What the seal of an account covers, for who compares it: a hash of the password's hash, which can be tried against no
-- password, since the salt is not here.
CREATE VIEW console.sealed_account AS
SELECT username, role, holder, team, partners, oidc_subject, disabled_at, seal,
    sha256(convert_to(password_hash, 'UTF8')) AS password_sha256
FROM console.account;
