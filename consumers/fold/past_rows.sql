-- What a row was before its first change in each block of the log: so the rows at the beginning of every block can be read.
-- `row` is JSON; NULL where there was no row.
CREATE TABLE past_row (
    name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    until bigint NOT NULL,
    row text,
    PRIMARY KEY (name, key, until)
);
