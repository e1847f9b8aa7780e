-- name: schemas_exist
SELECT bool_and(to_regnamespace(name) IS NOT NULL) FROM unnest($1::text[]) AS s (name)

-- name: positions
-- Each consumer's position, and the version of its rows.
SELECT consumer, position, rules_version, fold_sha256 FROM platform.position

-- name: with_past
-- Those of some tables that have past rows.
SELECT name FROM unnest($1::text[]) AS t (name)
WHERE EXISTS (SELECT FROM {schema}.past_block p WHERE p.name = t.name)

-- name: create
-- The rows that the fold changes, beside the views.
CREATE TEMPORARY TABLE changed_row (
    name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    row text NOT NULL
)
