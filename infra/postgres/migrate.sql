-- name: create
-- Versions before the hash made the table without its column.
CREATE TABLE IF NOT EXISTS public.migration (
    name       text PRIMARY KEY,
    applied_at timestamptz DEFAULT now(),
    sha256     bytea
);
ALTER TABLE public.migration ADD COLUMN IF NOT EXISTS sha256 bytea;

-- name: applied
-- What was applied, and the text of it.
SELECT name, sha256 FROM public.migration;

-- name: note
-- A file was applied, now or by a version that kept no hash.
INSERT INTO public.migration (name, sha256) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256 WHERE migration.sha256 IS NULL;
