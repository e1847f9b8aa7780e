-- The revenue ledger. Created in the consumer's schema, live or scratch; amounts are halalas, indexes those of the log.
-- Tables of running sums are filled by half: the new version of a changed row stays on its page, and no index changes.
CREATE TABLE contract (
    partnership_id text COLLATE "C" PRIMARY KEY,
    owner text NOT NULL,
    partner jsonb NOT NULL,
    services jsonb NOT NULL,
    legal_basis jsonb NOT NULL,
    signed_on text NOT NULL,
    starts_on text NOT NULL,
    ends_on text NOT NULL,
    calendar text NOT NULL CHECK (calendar IN ('gregorian', 'umm-al-qura')),
    period_kind text NOT NULL CHECK (period_kind IN ('month', 'quarter')),
    tier_basis text NOT NULL CHECK (tier_basis IN ('lifetime', 'contract-year')),
    terminated_on text,
    last_day text NOT NULL,
    first_period text NOT NULL,
    last_period text NOT NULL,
    closed_through text,
    open_period text,
    versions jsonb NOT NULL,
    latest_dated_on text,
    collected_halalas bigint NOT NULL CHECK (collected_halalas BETWEEN 0 AND 9007199254740991),
    closing_cumulative_halalas bigint NOT NULL,
    payable_halalas bigint NOT NULL,
    top_ups_halalas bigint NOT NULL CHECK (top_ups_halalas >= 0),
    outstanding_halalas bigint NOT NULL CHECK (outstanding_halalas >= 0),
    first_index bigint NOT NULL,
    last_index bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE contract_version (
    partnership_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version >= 0),
    effective_from text NOT NULL,
    terms jsonb NOT NULL,
    reason jsonb,
    index bigint NOT NULL,
    PRIMARY KEY (partnership_id, version)
);

CREATE TABLE expected (
    partnership_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    period text COLLATE "C" NOT NULL,
    amount_halalas bigint NOT NULL CHECK (amount_halalas >= 0),
    index bigint NOT NULL,
    PRIMARY KEY (partnership_id, version, period)
);

CREATE TABLE period (
    partnership_id text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    collected_halalas bigint NOT NULL CHECK (collected_halalas >= 0),
    reversed_halalas bigint NOT NULL CHECK (reversed_halalas >= 0),
    prior_period_halalas bigint NOT NULL,
    partner_base_halalas bigint NOT NULL,
    postings_count bigint NOT NULL,
    first_index bigint,
    last_index bigint,
    closing_index bigint,
    statement_sha256 text,
    PRIMARY KEY (partnership_id, period)
) WITH (fillfactor = 50);

CREATE TABLE revenue_window (
    partnership_id text COLLATE "C" NOT NULL,
    window_number bigint NOT NULL CHECK (window_number >= 0),
    cumulative_halalas bigint NOT NULL,
    postings_count bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    PRIMARY KEY (partnership_id, window_number)
) WITH (fillfactor = 50);

CREATE TABLE receipt (
    partnership_id text COLLATE "C" NOT NULL,
    receipt_id text COLLATE "C" NOT NULL,
    service_id text NOT NULL,
    amount_halalas bigint NOT NULL CHECK (amount_halalas > 0),
    collected_on text NOT NULL,
    receipts_count bigint NOT NULL CHECK (receipts_count >= 1),
    period text COLLATE "C" NOT NULL,
    contract_version bigint NOT NULL,
    window_number bigint NOT NULL,
    before_halalas bigint NOT NULL,
    partner_halalas bigint NOT NULL CHECK (partner_halalas >= 0),
    treasury_halalas bigint NOT NULL CHECK (treasury_halalas >= 0),
    reversed_halalas bigint NOT NULL CHECK (reversed_halalas BETWEEN 0 AND amount_halalas),
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    PRIMARY KEY (partnership_id, receipt_id),
    CHECK (partner_halalas + treasury_halalas = amount_halalas)
);

CREATE TABLE reversal (
    partnership_id text COLLATE "C" NOT NULL,
    reversal_id text COLLATE "C" NOT NULL,
    receipt_id text NOT NULL,
    amount_halalas bigint NOT NULL CHECK (amount_halalas > 0),
    reversed_on text NOT NULL,
    period text COLLATE "C" NOT NULL,
    contract_version bigint NOT NULL,
    window_number bigint NOT NULL,
    before_halalas bigint NOT NULL,
    partner_halalas bigint NOT NULL CHECK (partner_halalas >= 0),
    treasury_halalas bigint NOT NULL CHECK (treasury_halalas >= 0),
    index bigint NOT NULL,
    PRIMARY KEY (partnership_id, reversal_id),
    CHECK (partner_halalas + treasury_halalas = amount_halalas)
);

CREATE TABLE payout (
    partnership_id text COLLATE "C" NOT NULL,
    payout_id text COLLATE "C" NOT NULL,
    amount_halalas bigint NOT NULL CHECK (amount_halalas > 0),
    paid_on text NOT NULL,
    index bigint NOT NULL,
    PRIMARY KEY (partnership_id, payout_id)
);

CREATE TABLE account (
    account text COLLATE "C" PRIMARY KEY,
    partnership_id text NOT NULL,
    kind text NOT NULL,
    debits_halalas bigint NOT NULL CHECK (debits_halalas >= 0),
    credits_halalas bigint NOT NULL CHECK (credits_halalas >= 0),
    transfers_count bigint NOT NULL CHECK (transfers_count > 0),
    first_index bigint NOT NULL,
    last_index bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE statement (
    partnership_id text COLLATE "C" NOT NULL,
    period text COLLATE "C" NOT NULL,
    contract_version bigint NOT NULL,
    opening_cumulative_halalas bigint NOT NULL,
    collected_halalas bigint NOT NULL,
    reversed_halalas bigint NOT NULL,
    net_halalas bigint NOT NULL CHECK (net_halalas = collected_halalas - reversed_halalas),
    prior_period_halalas bigint NOT NULL,
    closing_cumulative_halalas bigint NOT NULL
        CHECK (closing_cumulative_halalas = opening_cumulative_halalas + net_halalas),
    partner_base_halalas bigint NOT NULL,
    guarantee_halalas bigint NOT NULL,
    top_up_halalas bigint NOT NULL CHECK (top_up_halalas >= 0),
    recovered_halalas bigint NOT NULL CHECK (recovered_halalas >= 0),
    top_up_outstanding_halalas bigint NOT NULL CHECK (top_up_outstanding_halalas >= 0),
    partner_total_halalas bigint NOT NULL
        CHECK (partner_total_halalas = partner_base_halalas + top_up_halalas - recovered_halalas),
    treasury_total_halalas bigint NOT NULL CHECK (treasury_total_halalas = net_halalas - partner_total_halalas),
    expected_halalas bigint NOT NULL,
    first_index bigint,
    last_index bigint,
    closing_index bigint NOT NULL,
    PRIMARY KEY (partnership_id, period)
);

-- One record is both sides, so an imbalance cannot be written. Each follows from the row that it was posted with.
CREATE VIEW transfer AS
SELECT * FROM (
SELECT first_index AS index, 0::bigint AS line, partnership_id, period, 'receipt-partner'::text AS kind,
       'collections:' || partnership_id AS debit, 'partner-payable:' || partnership_id AS credit,
       partner_halalas AS amount_halalas
FROM receipt
UNION ALL
SELECT first_index, 1::bigint, partnership_id, period, 'receipt-treasury'::text,
       'collections:' || partnership_id, 'treasury-share:' || partnership_id, treasury_halalas
FROM receipt
UNION ALL
SELECT index, 0::bigint, partnership_id, period, 'reversal-partner'::text,
       'partner-payable:' || partnership_id, 'collections:' || partnership_id, partner_halalas
FROM reversal
UNION ALL
SELECT index, 1::bigint, partnership_id, period, 'reversal-treasury'::text,
       'treasury-share:' || partnership_id, 'collections:' || partnership_id, treasury_halalas
FROM reversal
UNION ALL
SELECT closing_index, 0::bigint, partnership_id, period, 'top-up'::text,
       'guarantee-expense:' || partnership_id, 'partner-payable:' || partnership_id, top_up_halalas
FROM statement
UNION ALL
SELECT closing_index, 1::bigint, partnership_id, period, 'recovery'::text,
       'partner-payable:' || partnership_id, 'guarantee-expense:' || partnership_id, recovered_halalas
FROM statement
UNION ALL
SELECT index, 0::bigint, partnership_id, NULL::text COLLATE "C", 'payout'::text,
       'partner-payable:' || partnership_id, 'cash:' || partnership_id, amount_halalas
FROM payout
) AS t WHERE amount_halalas > 0;

-- Append-only: not even the application may change, delete or truncate what was posted; of a receipt, what was reversed of
-- it may change. Dropping a scratch schema still works.
REVOKE UPDATE, DELETE, TRUNCATE ON receipt, reversal, payout, statement FROM PUBLIC, CURRENT_USER;
GRANT UPDATE (reversed_halalas, last_index) ON receipt TO CURRENT_USER;
CREATE TRIGGER append_only
    BEFORE UPDATE OF partnership_id, receipt_id, service_id, amount_halalas, collected_on, receipts_count, period,
        contract_version, window_number, before_halalas, partner_halalas, treasury_halalas, first_index
    OR DELETE OR TRUNCATE ON receipt
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reversal
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payout
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement
    FOR EACH STATEMENT EXECUTE FUNCTION log.append_only();
