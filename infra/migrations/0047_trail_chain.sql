-- The trail as evidence: the role that wrote a row, the account that acted, the events that it sent, and a chain of hashes.

-- `role` is what the database knows of the writer; NULL in rows of an earlier release. `account` acted through the console.
-- `operator` is what a command's process says of who ran it, or the holder of a token that the gateway verified.
ALTER TABLE platform.trail
    ADD COLUMN role text,
    ADD COLUMN account text REFERENCES console.account,
    ADD COLUMN event_ids text[],
    ALTER COLUMN operator DROP NOT NULL,
    ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform.trail ALTER COLUMN role SET DEFAULT current_user;
CREATE INDEX ON platform.trail USING gin (event_ids);
-- The policies of the roles that write are made with their rights, from one table (`infra/postgres/trail.py`).
CREATE POLICY read ON platform.trail FOR SELECT USING (true);

-- The chain, in the order of the commits. Position 0 is before the first row: it is the row that writers lock.
CREATE TABLE platform.trail_link (
    position bigint PRIMARY KEY,
    row_id bigint UNIQUE REFERENCES platform.trail,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32)
);
INSERT INTO platform.trail_link VALUES (0, NULL, decode(repeat('00', 32), 'hex'));
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON platform.trail_link
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();

-- A row as RFC 8785 JSON: the same bytes as `row_bytes` of `infra/postgres/trail.py`.
CREATE FUNCTION platform.trail_bytes(t platform.trail, place bigint) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT convert_to(
        '{"account":' || coalesce(to_json(t.account)::text, 'null')
        || ',"at":"' || to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","command":' || to_json(t.command)
        || ',"event_ids":' || coalesce(to_json(t.event_ids)::text, 'null')
        || ',"host":' || to_json(t.host)
        || ',"operator":' || coalesce(to_json(t.operator)::text, 'null')
        || ',"position":' || place
        || ',"role":' || coalesce(to_json(t.role)::text, 'null') || '}', 'UTF8')
$$;

-- As the owner, for writers read neither table. At the commit, so that a long transaction keeps no other writer waiting.
CREATE FUNCTION platform.chain_trail() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head platform.trail_link;
BEGIN
    PERFORM FROM platform.trail_link WHERE position = 0 FOR UPDATE;
    SELECT * INTO STRICT head FROM platform.trail_link ORDER BY position DESC LIMIT 1;
    INSERT INTO platform.trail_link
    VALUES (head.position + 1, NEW.row_id, sha256(head.sha256 || platform.trail_bytes(NEW, head.position + 1)));
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION platform.chain_trail(), platform.trail_bytes(platform.trail, bigint) FROM PUBLIC;

DO $$
DECLARE
    earlier platform.trail;
    head platform.trail_link;
BEGIN
    FOR earlier IN SELECT * FROM platform.trail ORDER BY row_id LOOP
        SELECT * INTO STRICT head FROM platform.trail_link ORDER BY position DESC LIMIT 1;
        INSERT INTO platform.trail_link VALUES (
            head.position + 1, earlier.row_id, sha256(head.sha256 || platform.trail_bytes(earlier, head.position + 1))
        );
    END LOOP;
END $$;

CREATE CONSTRAINT TRIGGER chained AFTER INSERT ON platform.trail DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION platform.chain_trail();
