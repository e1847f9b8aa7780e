-- How anomalies are found, in each consumer that detects some: all, an agency's, and those about one thing.
-- `+ 0`: no other index has this order, so that none is chosen that would pass over any number of other rows.
CREATE INDEX CONCURRENTLY IF NOT EXISTS anomaly_by_found ON anomaly (found_index, index);
CREATE INDEX CONCURRENTLY IF NOT EXISTS anomaly_by_agency ON anomaly (agency, (found_index + 0), index);
CREATE INDEX CONCURRENTLY IF NOT EXISTS anomaly_by_subject ON anomaly (subject, (found_index + 0), index);
