-- The highest `sequence` number that was read in each month of an agency (by recorded time, in Riyadh): the numbers of a
-- month are those above the highest of the months before it, so that each number belongs to one month.
CREATE TABLE log.sequence_month (
    agency text NOT NULL,
    month text NOT NULL CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    highest numeric NOT NULL,
    PRIMARY KEY (agency, month)
);

-- What was read before this was kept counts to the month of the last entry.
INSERT INTO log.sequence_month
SELECT s.agency, to_char(l.recorded::timestamptz AT TIME ZONE 'UTC' + interval '3 hours', 'YYYY-MM'), s.highest
FROM log.sequence_state s CROSS JOIN log.state l
WHERE s.highest IS NOT NULL AND l.recorded <> '';
