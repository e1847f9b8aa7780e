-- A copy is also known by when its server started: a plain copy of the data folder, or a disk's snapshot, begins no timeline, but
-- nobody puts one back under a server that runs. So the registrar, which takes over again after each start, compares after each.
UPDATE log.state SET verified_copy = 'this one' WHERE verified_copy = log.copy_name();

CREATE OR REPLACE FUNCTION log.copy_name() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN concat_ws('/', (SELECT system_identifier FROM pg_control_system()), extract(epoch FROM pg_postmaster_start_time()),
                 'log.state'::regclass::oid);

UPDATE log.state SET verified_copy = log.copy_name() WHERE verified_copy = 'this one';
