-- name: listing
-- Everything that decides what a statement reads, changes or sets off: kind, name, definition. Made by initdb: oid < 16384.
-- Without what sessions hold and rebuilds fold into, and the rights of an owner, which are all. NOT NULL is with the columns: PostgreSQL 18 lists it as a constraint too.
WITH ours AS (
    SELECT n.oid, n.nspname FROM pg_namespace n
    WHERE n.nspname NOT LIKE 'pg\_t%' AND (n.oid >= 16384 OR n.nspname IN ('public', 'pg_catalog', 'information_schema'))
        AND n.nspname !~ '^rebuild_'
), relation AS (
    SELECT c.*, s.nspname || '.' || c.relname AS name FROM pg_class c JOIN ours s ON s.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), granted AS (
    SELECT 'schema' AS kind, s.nspname::text AS name, n.nspacl AS acl, n.nspowner AS owner
    FROM ours s JOIN pg_namespace n USING (oid) WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    UNION ALL SELECT 'relation', name, relacl, relowner FROM relation
    UNION ALL SELECT 'column', r.name || '.' || a.attname, a.attacl, r.relowner
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT 'function', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
    FROM pg_proc p WHERE p.oid >= 16384 AND p.pronamespace IN (SELECT oid FROM ours)
    UNION ALL SELECT 'database', 'this', coalesce(datacl, acldefault('d', datdba)), datdba
    FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT 'default rights', format('%s %s %s', pg_get_userbyid(defaclrole), coalesce(nspname, '*'), defaclobjtype),
        defaclacl, 0 FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace
)
SELECT 'rights' AS kind, format('%s %s', kind, name) AS name, string_agg(
    format('%s: %s%s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END, privilege_type,
        CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END),
    ', ' ORDER BY CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END COLLATE "C", privilege_type COLLATE "C"
) AS definition
FROM granted, aclexplode(acl) WHERE grantee <> owner GROUP BY kind, name

UNION ALL
SELECT 'schema', s.nspname::text, format('owner %s', pg_get_userbyid(n.nspowner))
FROM ours s JOIN pg_namespace n USING (oid) WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')

UNION ALL
SELECT 'relation', name, format('%s, owner %s%s%s%s%s',
    CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence'
        WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
    pg_get_userbyid(relowner), CASE WHEN relrowsecurity THEN ', row security' ELSE '' END,
    CASE WHEN relforcerowsecurity THEN ', forced on its owner' ELSE '' END,
    CASE WHEN relpersistence = 'u' THEN ', unlogged' ELSE '' END,
    CASE WHEN relkind IN ('v', 'm') THEN coalesce(' ' || reloptions::text, '') ELSE '' END)
FROM relation

UNION ALL
SELECT 'columns', r.name, string_agg(format('%s %s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
    coalesce(format(' %s %s', CASE WHEN a.attgenerated <> '' THEN 'GENERATED' ELSE 'DEFAULT' END,
        pg_get_expr(d.adbin, d.adrelid)), CASE WHEN a.attidentity <> '' THEN ' IDENTITY' ELSE '' END)),
    ', ' ORDER BY a.attname COLLATE "C")
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
WHERE r.relkind <> 'S' GROUP BY r.name

UNION ALL
SELECT 'view', name, pg_get_viewdef(oid) FROM relation WHERE relkind IN ('v', 'm')

UNION ALL
SELECT 'inheritance', r.name, format('of %s', i.inhparent::regclass) FROM relation r JOIN pg_inherits i ON i.inhrelid = r.oid

UNION ALL
SELECT 'constraint', r.name || ' ' || c.conname,
    pg_get_constraintdef(c.oid) || CASE WHEN c.convalidated THEN '' ELSE ' NOT VALID' END
FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid WHERE c.contype <> 'n'

UNION ALL
SELECT 'policy', r.name || ' ' || p.polname, format('%s for %s to %s using (%s) with check (%s)',
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, p.polcmd::text,
    (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(role) END, ', ' ORDER BY role::regrole::text COLLATE "C")
        FROM unnest(p.polroles) AS role),
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM relation r JOIN pg_policy p ON p.polrelid = r.oid

UNION ALL
-- Those of foreign keys are internal: they are listed where one is off.
SELECT 'trigger', r.name || ' ' || t.tgname,
    CASE t.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN 'disabled: ' ELSE 'enabled as ' || t.tgenabled::text || ': ' END
    || pg_get_triggerdef(t.oid)
FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal OR t.tgenabled <> 'O'

UNION ALL
SELECT 'rule', r.name || ' ' || w.rulename, pg_get_ruledef(w.oid)
FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid WHERE w.rulename <> '_RETURN'

UNION ALL
SELECT 'function', p.oid::regprocedure::text, format('%s, owner %s%s, %s%s%s: %s', l.lanname, pg_get_userbyid(p.proowner),
    CASE WHEN p.prosecdef THEN ', with its owner''s rights' ELSE '' END, p.provolatile::text, coalesce(', ' || p.proconfig::text, ''),
    CASE WHEN p.proleakproof THEN ', leakproof' ELSE '' END, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc))
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid >= 16384 AND p.pronamespace IN (SELECT oid FROM ours)

UNION ALL
SELECT 'event trigger', evtname, format('%s, %s: %s', evtevent, evtenabled::text, evtfoid::regprocedure) FROM pg_event_trigger

UNION ALL
SELECT 'extension', extname, 'installed' FROM pg_extension WHERE extname <> 'plpgsql'

UNION ALL
SELECT 'operator', oid::regoperator::text, oprcode::text FROM pg_operator WHERE oid >= 16384

UNION ALL
SELECT 'cast', format('%s as %s', castsource::regtype, casttarget::regtype), castmethod::text FROM pg_cast WHERE oid >= 16384

UNION ALL
SELECT 'database', 'this', format('owner %s', pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database()

UNION ALL
-- Of any role that is or may become one of ours.
SELECT 'role', rolname, concat_ws(', ', CASE WHEN rolcanlogin THEN 'login' ELSE 'no login' END,
    CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolbypassrls THEN 'bypasses row security' END,
    CASE WHEN rolcreaterole THEN 'creates roles' END, CASE WHEN rolcreatedb THEN 'creates databases' END,
    CASE WHEN rolreplication THEN 'replication' END)
FROM pg_roles WHERE rolname LIKE 'yesser\_%'

UNION ALL
SELECT 'member', format('%s in %s', pg_get_userbyid(member), pg_get_userbyid(roleid)),
    CASE WHEN bool_or(admin_option) THEN 'as administrator' ELSE 'member' END
FROM pg_auth_members WHERE pg_get_userbyid(roleid) LIKE 'yesser\_%' OR pg_get_userbyid(member) LIKE 'yesser\_%'
GROUP BY member, roleid

UNION ALL
SELECT 'setting', concat_ws(' in ', CASE setrole WHEN 0 THEN 'every role' ELSE pg_get_userbyid(setrole) END,
    CASE setdatabase WHEN 0 THEN 'every database' ELSE 'this database' END), setconfig::text
FROM pg_db_role_setting
WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND (setrole = 0 OR pg_get_userbyid(setrole) LIKE 'yesser\_%')

UNION ALL
SELECT 'setting', name, setting FROM pg_settings WHERE name IN ('session_replication_role', 'row_security', 'ignore_checksum_failure', 'zero_damaged_pages')
