-- The national log: the registrar is its only writer. Entries, nodes, checkpoints and ids are only ever added.
CREATE SCHEMA log;

CREATE TABLE log.state (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    size bigint NOT NULL DEFAULT 0,
    recorded text NOT NULL DEFAULT '',
    shipped_up_to bigint NOT NULL DEFAULT 0
);
INSERT INTO log.state DEFAULT VALUES;

-- Consecutive entries in the form of a tlog-tiles bundle (uint16 length, entry), never across a multiple of 256.
CREATE TABLE log.segment (
    first_index bigint PRIMARY KEY,
    entries_count integer NOT NULL CHECK (entries_count BETWEEN 1 AND 256),
    entries bytea NOT NULL,
    leaves bytea NOT NULL CHECK (length(leaves) = 32 * entries_count),
    CHECK (first_index / 256 = (first_index + entries_count - 1) / 256)
);
-- JSON of 100 KB a bundle is read far more often than it is written: no compression, so that slices are cheap.
ALTER TABLE log.segment ALTER COLUMN entries SET STORAGE EXTERNAL, ALTER COLUMN leaves SET STORAGE EXTERNAL;

-- Roots of complete subtrees of 256^level leaves.
CREATE TABLE log.node (
    level integer NOT NULL CHECK (level >= 1),
    node_index bigint NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, node_index)
);

CREATE TABLE log.checkpoint (
    size bigint PRIMARY KEY,
    note text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT now()
);

-- An accepted event's (source, id) and what it said, both as 16-byte hashes: duplicates and conflicts are told apart.
CREATE TABLE log.event_id (
    claim bytea PRIMARY KEY,
    identity bytea NOT NULL,
    index bigint NOT NULL
);

-- Consecutive offsets that became consecutive indexes; offsets between runs are duplicates.
CREATE TABLE log.run (
    topic text NOT NULL,
    first_offset bigint NOT NULL,
    first_index bigint NOT NULL,
    entries_count bigint NOT NULL CHECK (entries_count > 0),
    PRIMARY KEY (topic, first_offset)
);

CREATE TABLE log.duplicate (
    topic text NOT NULL,
    "offset" bigint NOT NULL,
    of_index bigint NOT NULL,
    PRIMARY KEY (topic, "offset")
);

CREATE TABLE log.refusal (
    index bigint PRIMARY KEY,
    agency text NOT NULL,
    address text NOT NULL UNIQUE,
    claimed_id text,
    claimed_type text,
    errors jsonb NOT NULL
);
CREATE INDEX ON log.refusal (agency, index);

-- The refused record as it came; never where the reason is personal data.
CREATE TABLE log.dead_letter (
    index bigint PRIMARY KEY REFERENCES log.refusal,
    value bytea,
    headers jsonb NOT NULL
);

-- Where the registrar stands in each agency's topic. The hash of the last record read shows a lost or re-made topic.
CREATE TABLE log.read_position (
    topic text PRIMARY KEY,
    next_offset bigint NOT NULL DEFAULT 0,
    last_record_sha256 bytea,
    halted_reason text,
    halted_at timestamptz
);

-- Sequence numbers seen per source, whatever the verdict; `accepted` finds a number that two accepted events carry.
CREATE TABLE log.sequence_state (
    agency text PRIMARY KEY,
    seen nummultirange NOT NULL DEFAULT '{}',
    accepted nummultirange NOT NULL DEFAULT '{}',
    repeated nummultirange NOT NULL DEFAULT '{}'
);

CREATE FUNCTION log.append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is not allowed', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP;
END $$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['segment', 'node', 'checkpoint', 'event_id', 'run', 'duplicate', 'refusal'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION log.append_only()', t);
    END LOOP;
END $$;
