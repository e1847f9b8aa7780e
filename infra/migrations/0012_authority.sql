-- Who may send follows the log: a suspension is requested here at once, and confirmed by its entry.

-- `index` is that of the entry `registry.agency-suspended`, NULL until it is registered; `event_id` is its event's id,
-- NULL for a suspension of an earlier release, which has no entry. `ends`: its end is requested and not yet registered.
ALTER TABLE platform.suspension
    ALTER COLUMN reason TYPE jsonb USING jsonb_build_object('ar', reason, 'en', reason),
    ADD COLUMN event_id text,
    ADD COLUMN index bigint,
    ADD COLUMN ends boolean NOT NULL DEFAULT false;

-- What the first `size` entries say about agencies, suspensions and the catalogue, signed by the log's key: the
-- registrar that takes over reads only the entries after it.
CREATE TABLE log.authority (
    size bigint PRIMARY KEY,
    note text NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.authority
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();
