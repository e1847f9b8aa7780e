-- How the ledger's rows are found. A new index is built beside the live rows; one that changes gets another name.

-- What an entry made: a transfer's index and line are a key, since each row has one entry, and makes at most one of a line.
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS receipt_by_index ON receipt (first_index);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS reversal_by_index ON reversal (index);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS payout_by_index ON payout (index);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS statement_by_index ON statement (closing_index);
-- A partnership's transfers of a kind in log order. `+ 0`: the indexes above have the order of the index too, and would be
-- chosen, though they pass over any number of other partnerships' rows.
CREATE INDEX CONCURRENTLY IF NOT EXISTS receipt_with_partner ON receipt (partnership_id, (first_index + 0))
    WHERE partner_halalas > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS receipt_with_treasury ON receipt (partnership_id, (first_index + 0))
    WHERE treasury_halalas > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS reversal_with_partner ON reversal (partnership_id, (index + 0))
    WHERE partner_halalas > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS reversal_with_treasury ON reversal (partnership_id, (index + 0))
    WHERE treasury_halalas > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS payout_of_partnership ON payout (partnership_id, (index + 0));
CREATE INDEX CONCURRENTLY IF NOT EXISTS statement_with_top_up ON statement (partnership_id, (closing_index + 0))
    WHERE top_up_halalas > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS statement_with_recovery ON statement (partnership_id, (closing_index + 0))
    WHERE recovered_halalas > 0;
-- What was reversed in a period. Its receipts are found between its first and its last entry.
CREATE INDEX CONCURRENTLY IF NOT EXISTS reversal_of_period ON reversal (partnership_id, period, index);
-- What a partner may see of the anomalies of its partnerships: without STRANGERS_RULES (read.py), of which others can
-- make any number.
CREATE INDEX CONCURRENTLY IF NOT EXISTS anomaly_for_partner ON anomaly (subject, (found_index + 0), index)
    WHERE rule <> ALL ('{unknown-partnership,not-owner,already-signed}'::text[]);
