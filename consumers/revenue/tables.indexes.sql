-- How the ledger's rows are found. A new index is built beside the live rows; one that changes gets another name.

-- A partnership's transfers in log order: of some kinds, or of all seven, merged. `+ 0`: the primary key has the order of
-- the index too, and would be chosen, though it passes over any number of transfers of other kinds.
CREATE INDEX CONCURRENTLY IF NOT EXISTS transfer_of_partnership ON transfer (partnership_id, kind, (index + 0), line);
-- What was posted to a period, and the posting of one entry.
CREATE INDEX CONCURRENTLY IF NOT EXISTS receipt_of_period ON receipt (partnership_id, period, first_index);
CREATE INDEX CONCURRENTLY IF NOT EXISTS reversal_of_period ON reversal (partnership_id, period, index);
-- What a partner may see of the anomalies of its partnerships: without STRANGERS_RULES (read.py), of which others can
-- make any number.
CREATE INDEX CONCURRENTLY IF NOT EXISTS anomaly_for_partner ON anomaly (subject, (found_index + 0), index)
    WHERE rule <> ALL ('{unknown-partnership,not-owner,already-signed}'::text[]);
