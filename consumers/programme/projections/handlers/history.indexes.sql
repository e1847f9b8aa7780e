-- How histories are found. A new index is built beside the live rows; one that changes gets another name.
CREATE INDEX CONCURRENTLY IF NOT EXISTS history_of_subject ON history (subject, found_index, index);
CREATE INDEX CONCURRENTLY IF NOT EXISTS history_by_day ON history (happened_on, found_index);
