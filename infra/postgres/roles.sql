-- name: lock
-- Roles belong to the whole server: one process creates them at a time.
SELECT pg_advisory_xact_lock(7370004);

-- name: role_exists
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1);

-- name: is_former_role
-- A superuser of this name is another one's.
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND NOT rolsuper AND rolcanlogin);

-- name: roles
SELECT rolname FROM pg_roles WHERE rolname LIKE 'yesser\_%' AND rolname <> 'yesser_owner';

-- name: tables
-- Tables, views and sequences of ours: others may have theirs in `public`.
SELECT c.relname AS name, c.relkind = 'S' AS is_sequence FROM pg_class c
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p', 'v', 'S') AND pg_has_role(c.relowner, 'USAGE')
ORDER BY 1;

-- name: owned_by_others
-- The schema before its tables: a new owner needs the right to create in it.
SELECT 'SCHEMA' AS kind, n.nspname AS name, 0 AS place FROM pg_namespace n
WHERE n.nspname = $1 AND pg_get_userbyid(n.nspowner) <> $2
UNION ALL
SELECT 'TABLE', format('%I.%I', $1::text, c.relname), 1 FROM pg_class c
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) <> $2
ORDER BY place, name

-- name: end_sessions
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1 AND backend_start < $2
