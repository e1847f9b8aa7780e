-- Who may do what, and who did it.

-- `seal` covers the row's holder, kind, scopes, partners and expiry under the key of the tokens' hash, so that a row that
-- was changed is refused. Without one, the row is of an earlier release: `yesser tokens seal`. `partners` of a partner's token are AGENCY/PARTNER_ID: a partner id is an agency's.
ALTER TABLE platform.token
    ADD COLUMN seal bytea CHECK (length(seal) = 32),
    ADD COLUMN partners text[] NOT NULL DEFAULT '{}';

-- A row for each action of an operator, written in the transaction of the action.
CREATE TABLE platform.trail (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    operator text NOT NULL,
    host text NOT NULL,
    command text NOT NULL
);
CREATE INDEX ON platform.trail (at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON platform.trail
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();
