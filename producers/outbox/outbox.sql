-- The outbox of an agency, in the agency's own database: an event is a row, written in the transaction of its cause.
--
-- A row's number is assigned while its transaction holds the lock of the event's subject, and the lock is released only
-- after the commit is visible. So the numbers of one subject are in commit order: a transaction that sees a row also
-- sees all committed rows of its subject with lower numbers. Different subjects do not wait for each other, and a lower
-- number may appear later, so the relay selects unsent rows instead of rows above a position.
--
-- PostgreSQL 12 or newer, encoding UTF8.

CREATE SCHEMA IF NOT EXISTS yesser;

CREATE SEQUENCE yesser.outbox_row_id;

CREATE TABLE yesser.outbox (
    row_id bigint PRIMARY KEY,
    -- json, not jsonb: the text is sent exactly as it was written.
    event json NOT NULL CHECK (octet_length(event::text) <= 61440),
    event_id text NOT NULL GENERATED ALWAYS AS (event ->> 'id') STORED,
    added_at timestamptz NOT NULL,
    sent_at timestamptz,
    address text,
    -- The faults that validation found: such a row is never sent. Correct the event and insert it again.
    faults jsonb,
    CHECK ((sent_at IS NULL) = (address IS NULL)),
    CHECK (sent_at IS NULL OR faults IS NULL)
);
CREATE UNIQUE INDEX outbox_event_id ON yesser.outbox (event_id) WHERE faults IS NULL;
CREATE INDEX outbox_waiting ON yesser.outbox (row_id) WHERE sent_at IS NULL AND faults IS NULL;
CREATE INDEX outbox_sent ON yesser.outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX outbox_refused ON yesser.outbox (row_id) WHERE faults IS NOT NULL;

-- With the owner's rights, so that an application needs only INSERT (event).
CREATE FUNCTION yesser.outbox_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.event ->> 'id') IS NULL OR (NEW.event ->> 'subject') IS NULL THEN
        RAISE EXCEPTION 'an event for the outbox is a JSON object with an id and a subject (CloudEvents)';
    END IF;
    -- 7370003 is the outbox's half of the key. Two subjects with the same hash only wait for each other.
    PERFORM pg_advisory_xact_lock(7370003, hashtext(NEW.event ->> 'subject'));
    NEW.row_id := nextval('yesser.outbox_row_id');
    NEW.added_at := clock_timestamp();
    NEW.sent_at := NULL;
    NEW.address := NULL;
    NEW.faults := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER number BEFORE INSERT ON yesser.outbox
    FOR EACH ROW EXECUTE FUNCTION yesser.outbox_number();

-- A row that may have been sent must be sent again with the same bytes.
CREATE FUNCTION yesser.outbox_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an event in the outbox cannot be changed: insert another one';
END $$;
CREATE TRIGGER stays BEFORE UPDATE OF row_id, event ON yesser.outbox
    FOR EACH ROW EXECUTE FUNCTION yesser.outbox_stays();

-- Wakes the relay at commit. NOTIFY serialises commits; if that is too slow under many concurrent transactions:
-- ALTER TABLE yesser.outbox DISABLE TRIGGER wake; the relay then polls once a second.
CREATE FUNCTION yesser.outbox_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('yesser_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER wake AFTER INSERT ON yesser.outbox
    FOR EACH STATEMENT EXECUTE FUNCTION yesser.outbox_wake();

-- One relay works: the lease is for liveness (database time), the epoch for safety (it only grows).
CREATE TABLE yesser.outbox_lease (
    name text PRIMARY KEY,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
