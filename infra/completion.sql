-- Shell completion. `search_path` selects the tables.

-- name: agency_codes
-- The codes that begin with $1, at most $2 of them.
SELECT code FROM agency WHERE starts_with(code, $1) ORDER BY code COLLATE "C" LIMIT $2
