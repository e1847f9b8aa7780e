-- Teams with their contacts, webhooks and subscriptions carry a keyed hash of what they say (docs/decisions/what-teams-manage-is-sealed.md).
-- Rows of earlier releases have none: nothing is sent by them until `yesser teams seal`.
ALTER TABLE delivery.team ADD COLUMN seal bytea CHECK (length(seal) = 32);
ALTER TABLE delivery.endpoint ADD COLUMN seal bytea CHECK (length(seal) = 32);
ALTER TABLE delivery.subscription ADD COLUMN seal bytea CHECK (length(seal) = 32);

-- What an auditor compares with its seal: hashes of addresses and URLs, which may hold secrets.
CREATE VIEW delivery.sealed_team AS
SELECT agency, team, name, language, closed_at, seal,
    array(SELECT sha256(convert_to(c.address, 'UTF8')) FROM delivery.contact c
          WHERE (c.agency, c.team) = (t.agency, t.team) ORDER BY c.rank) AS contacts_sha256
FROM delivery.team t;
CREATE VIEW delivery.sealed_endpoint AS
SELECT endpoint_id, agency, team, sha256(convert_to(url, 'UTF8')) AS url_sha256, seal FROM delivery.endpoint;
