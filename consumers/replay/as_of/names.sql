-- The names of agencies, services and projects, which never change. The live tables have them, whatever is read beside.

-- name: names_of
-- Of some agencies ($1), services ($2) and projects ($3).
SELECT 'agency' AS kind, code, name FROM campaigns.agency_name WHERE code = ANY($1)
UNION ALL SELECT 'service', service_id, name FROM projections.service WHERE service_id = ANY($2)
UNION ALL SELECT 'project', project_id, name FROM projections.project WHERE project_id = ANY($3)

-- name: names_after
-- Those that were registered after an index for each kind ($1, $2, $3), at most $4 of each.
(SELECT 'agency' AS kind, code, name, index FROM campaigns.agency_name WHERE index > $1 ORDER BY index LIMIT $4)
UNION ALL (SELECT 'service', service_id, name, first_index FROM projections.service
           WHERE first_index > $2 ORDER BY first_index LIMIT $4)
UNION ALL (SELECT 'project', project_id, name, first_index FROM projections.project
           WHERE first_index > $3 ORDER BY first_index LIMIT $4)
