CREATE TABLE counted (
    type text PRIMARY KEY,
    count bigint NOT NULL
);
