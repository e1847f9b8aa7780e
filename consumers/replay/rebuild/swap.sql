-- name: live_tables
SELECT string_agg(format('%I.%I', $1::text, c.relname), ', ' ORDER BY c.relname) FROM pg_class c
WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p')

-- name: locked_position
-- Held until the end of the transaction: the live consumer cannot advance while its tables are swapped.
SELECT position FROM platform.position WHERE consumer = $1 FOR UPDATE

-- name: swapped
-- In the transaction that swaps: from here on the rows are of this version.
UPDATE platform.position SET rules_version = $2, fold_sha256 = $3, rules = $4,
    folds_from = CASE WHEN (rules_version, fold_sha256) = ($2, $3) THEN folds_from ELSE position END
WHERE consumer = $1
