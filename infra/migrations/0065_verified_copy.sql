-- A restored copy of the database may hold texts that the log withholds since: nobody reads one before the registrar has compared
-- the copy with what was signed and shipped.
ALTER TABLE log.state ADD COLUMN verified_copy text;

-- A restore from backups and a promotion begin a timeline; a dump is restored into other tables.
CREATE FUNCTION log.copy_name() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN concat_ws('/', (SELECT system_identifier FROM pg_control_system()), left(pg_walfile_name(pg_current_wal_lsn()), 8),
                 'log.state'::regclass::oid);

-- No release before this one has texts.
UPDATE log.state SET verified_copy = log.copy_name();

-- As the owner: not each reader of a text reads the state.
CREATE FUNCTION log.require_verified() RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT verified_copy FROM log.state) IS DISTINCT FROM log.copy_name() THEN
        RAISE EXCEPTION USING ERRCODE = 'YE001', MESSAGE = 'this copy of the database is not compared with the log yet';
    END IF;
    RETURN true;
END $$;

ALTER TABLE log.text ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON log.text FOR SELECT USING (current_user = 'yesser_registrar' OR (SELECT log.require_verified()));
CREATE POLICY add ON log.text FOR INSERT WITH CHECK (true);
CREATE POLICY withhold ON log.text FOR UPDATE USING (true);

-- What else is deleted when a text is withheld.
ALTER TABLE log.dead_letter ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON log.dead_letter FOR SELECT USING (current_user = 'yesser_registrar' OR (SELECT log.require_verified()));
CREATE POLICY add ON log.dead_letter FOR INSERT WITH CHECK (true);
CREATE POLICY forget ON log.dead_letter FOR DELETE USING (true);

ALTER TABLE delivery.attempt ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON delivery.attempt FOR SELECT USING (current_user = 'yesser_delivery' OR (SELECT log.require_verified()));
CREATE POLICY add ON delivery.attempt FOR INSERT WITH CHECK (true);
CREATE POLICY forget ON delivery.attempt FOR DELETE USING (true);
CREATE POLICY withhold ON delivery.attempt FOR UPDATE USING (true);
