-- What rows were before their first change in each block of the log: so the rows at the beginning of every block can be read.
-- A row has what one batch, or once the block has ended a whole block, was the first to change in a table: `keys`, in order, and
-- beside each, as a JSON array, what may change of the row; NULL where there was no row. PostgreSQL compresses the arrays.
-- Of two parts of a block with the same key the first is right.
CREATE TABLE past_block (
    name text COLLATE "C" NOT NULL,
    until bigint NOT NULL,
    part bigint NOT NULL,
    keys text[] COLLATE "C" NOT NULL,
    rows text[] NOT NULL,
    PRIMARY KEY (name, until, part)
);

-- The same at the beginning of each span of blocks, one row for each key.
CREATE TABLE past_span (
    name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    until bigint NOT NULL,
    row text,
    PRIMARY KEY (name, key, until)
);

-- The copies of the blocks one by one: they do not depend on what the batches were.
CREATE VIEW past_row AS
SELECT DISTINCT ON (name, key, until) name, key, until, row
FROM past_block, unnest(keys, rows) AS copy (key, row)
ORDER BY name, key, until, part;
