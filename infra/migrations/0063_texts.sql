-- Free texts of entries, which have only their hashes (docs/decisions/texts-that-can-be-withheld.md).
CREATE TABLE log.text (
    index bigint NOT NULL,
    member text NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    -- NULL once the text is withheld by the entry `withheld_index`, or where a recovery did not find it; `value` then says
    -- so.
    salt bytea CHECK (length(salt) = 16),
    value text NOT NULL,
    withheld_index bigint,
    PRIMARY KEY (index, member),
    CHECK (salt IS NULL OR withheld_index IS NULL)
);
CREATE UNIQUE INDEX ON log.text (sha256);
CREATE INDEX ON log.text (withheld_index) WHERE withheld_index IS NOT NULL;

CREATE FUNCTION log.only_withheld() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.salt IS NOT NULL OR NEW.withheld_index IS NULL OR OLD.withheld_index IS NOT NULL
       OR (NEW.index, NEW.member, NEW.sha256) <> (OLD.index, OLD.member, OLD.sha256) THEN
        RAISE EXCEPTION 'log.text: a text can only be withheld, once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_withheld BEFORE UPDATE ON log.text FOR EACH ROW EXECUTE FUNCTION log.only_withheld();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON log.text FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();

-- Withholding a text needs two people.
ALTER TABLE console.approval DROP CONSTRAINT approval_act_check, ADD CONSTRAINT approval_act_check CHECK (act IN (
    'accounts add', 'accounts disable', 'accounts enable', 'accounts password', 'accounts seal', 'agencies add',
    'agencies certificate', 'agencies rotate', 'agencies suspend', 'erase', 'keys import', 'keys rotate', 'recover',
    'registrar unhalt', 'tokens create', 'tokens seal', 'withheld propose'
));

-- What is shown of a value in a row of a read model: in place of a text's hash the text, or that it is withheld.
CREATE FUNCTION log.shown(kept jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN kept ? 'sha256'
    THEN coalesce((SELECT value::jsonb FROM log.text WHERE sha256 = decode(kept ->> 'sha256', 'hex')), kept)
    ELSE kept END;

-- The same of each member of an event's data.
CREATE FUNCTION log.shown_members(kept jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN kept @? '$.*.sha256'
    THEN (SELECT jsonb_object_agg(name, log.shown(member)) FROM jsonb_each(kept) AS e (name, member))
    ELSE kept END;

-- The end of the topic of texts, as far as it acknowledged: a topic that ends before has lost texts, and all are sent again.
ALTER TABLE log.state ADD COLUMN texts_end bigint NOT NULL DEFAULT 0;
