-- The rotations of the log's key: signed notes of the old and the new key (infra/log/key_history.py). From `size` on a
-- checkpoint needs the new key's signature.
CREATE TABLE log.key_history (
    number integer PRIMARY KEY CHECK (number >= 1),
    size bigint NOT NULL UNIQUE,
    note text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.key_history
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();

-- How many rotations the last commitment covers: the next one is due at once.
ALTER TABLE platform.commitment ADD COLUMN keys_count integer NOT NULL DEFAULT 0;

-- The key under which a token was hashed; NULL for those of earlier releases, which had one key.
ALTER TABLE platform.token ADD COLUMN hash_key_id text;
