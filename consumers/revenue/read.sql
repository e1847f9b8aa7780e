-- Queries of the ledger's commands and the plan. Names are unqualified: `search_path` selects the tables.

-- name: balances
-- Every account with a transfer, by name: of an owner's ($1) or a partner's ($2: AGENCY/PARTNER_ID) partnerships, after $3.
SELECT account, debits_halalas, credits_halalas, debits_halalas - credits_halalas AS balance_halalas
FROM account
WHERE ($1::text IS NULL AND $2::text[] IS NULL
       OR partnership_id IN (SELECT c.partnership_id FROM contract c
                             WHERE ($1::text IS NULL OR c.owner = $1)
                               AND ($2::text[] IS NULL OR c.owner || '/' || (c.partner ->> 'partner_id') = ANY($2))))
  AND account COLLATE "C" > $3
ORDER BY account COLLATE "C" LIMIT $4

-- name: statement
-- The statement of one closed period.
SELECT * FROM statement WHERE partnership_id = $1 AND period = $2

-- name: statements
-- All statements, in the order of partnerships and periods.
SELECT * FROM statement ORDER BY partnership_id COLLATE "C", period COLLATE "C"

-- name: statements_of
-- One partnership's statements after a period.
SELECT * FROM statement WHERE partnership_id = $1 AND period COLLATE "C" > $2 ORDER BY period COLLATE "C" LIMIT $3

-- name: transfers
-- One partnership's transfers of some kinds ($5) in log order, after a position: the first of each kind, merged. Each with
-- the version and the window that priced it, which are with the posting or the statement of the same entry.
WITH page AS MATERIALIZED (
    SELECT t.* FROM unnest($5::text[]) AS k (kind)
    CROSS JOIN LATERAL (
        SELECT index, line, kind, period, debit, credit, amount_halalas
        FROM transfer
        WHERE partnership_id = $1 AND kind = k.kind AND (index + 0, line) > ($2::bigint, $3::bigint)
        ORDER BY index + 0, line LIMIT $4) AS t
    ORDER BY index, line LIMIT $4)
SELECT page.index, line, kind, page.period,
       coalesce(r.contract_version, v.contract_version, s.contract_version) AS contract_version,
       coalesce(r.window_number, v.window_number) AS "window", debit, credit, page.amount_halalas
FROM page
LEFT JOIN receipt r ON r.first_index = page.index
LEFT JOIN reversal v ON v.index = page.index
LEFT JOIN statement s ON s.closing_index = page.index
ORDER BY page.index, line

-- name: contract
-- A partnership's periods, to explain a missing statement.
SELECT partnership_id, first_period, last_period, open_period FROM contract WHERE partnership_id = $1

-- name: partnerships
-- An owner's ($1) or a partner's ($2), after $3, or $5 alone.
SELECT partnership_id, owner AS agency, partner, services, legal_basis, signed_on, starts_on, ends_on, terminated_on,
       calendar, period_kind AS period, tier_basis, first_period, last_period, closed_through, open_period,
       payable_halalas, outstanding_halalas AS top_up_outstanding_halalas, first_index, last_index
FROM contract
WHERE ($1::text IS NULL OR owner = $1) AND ($2::text[] IS NULL OR owner || '/' || (partner ->> 'partner_id') = ANY($2))
  AND partnership_id COLLATE "C" > $3 AND ($5::text IS NULL OR partnership_id = $5)
ORDER BY partnership_id COLLATE "C" LIMIT $4

-- name: versions
-- The terms as signed (version 0) and as amended.
SELECT version, effective_from, terms, log.shown(reason) AS reason, index FROM contract_version
WHERE partnership_id = $1 ORDER BY version

-- name: strangers
-- Those of some entries ($1) that are from agencies that do not own their subject: the partner may not see their claims.
SELECT index FROM anomaly WHERE index = ANY($1::bigint[]) AND rule = ANY($2::text[])

-- name: first_partnerships
-- The first $2, of owner $1 if given.
SELECT partnership_id FROM contract WHERE $1::text IS NULL OR owner = $1 ORDER BY partnership_id COLLATE "C" LIMIT $2

-- name: partnerships_of_plan
-- Expected revenue of partnerships ($1) up to the open period, and sums of their accounts ($2): postings, top-ups and
-- recoveries. No sum is left numeric, which a client reads several times slower.
SELECT c.partnership_id, c.owner AS agency,
       (coalesce(s.expected_halalas, 0) + coalesce(e.amount_halalas, 0))::bigint AS expected_halalas,
       coalesce(a.net_halalas, 0)::bigint AS net_halalas,
       coalesce(a.partner_halalas, 0)::bigint AS partner_halalas,
       (coalesce(a.net_halalas, 0) - coalesce(a.partner_halalas, 0))::bigint AS treasury_halalas,
       c.open_period
FROM contract c
LEFT JOIN (SELECT partnership_id, sum(expected_halalas) AS expected_halalas FROM statement
           WHERE partnership_id = ANY($1::text[]) GROUP BY partnership_id) s
  ON s.partnership_id = c.partnership_id
LEFT JOIN (SELECT o.partnership_id, max(v.version) AS version
           FROM contract o JOIN contract_version v USING (partnership_id)
           WHERE partnership_id = ANY($1::text[]) AND v.effective_from COLLATE "C" <= o.open_period
           GROUP BY o.partnership_id) v
  ON v.partnership_id = c.partnership_id
LEFT JOIN expected e ON e.partnership_id = c.partnership_id AND e.version = v.version AND e.period = c.open_period
LEFT JOIN (SELECT partnership_id,
                  sum(debits_halalas - credits_halalas) FILTER (WHERE kind = 'collections') AS net_halalas,
                  coalesce(sum(credits_halalas - debits_halalas) FILTER (WHERE kind = 'partner-payable'), 0)
                  + coalesce(sum(credits_halalas) FILTER (WHERE kind = 'cash'), 0) AS partner_halalas
           FROM account WHERE account = ANY($2::text[]) GROUP BY partnership_id) a
  ON a.partnership_id = c.partnership_id
WHERE c.partnership_id = ANY($1::text[])
ORDER BY c.partnership_id COLLATE "C"

-- name: partnerships_count
-- All, or those of owner $1.
SELECT count(*) FROM contract WHERE $1::text IS NULL OR owner = $1

-- name: partnership_ids
-- The ids that begin with $1, at most $2 of them: for the shell's completion.
SELECT partnership_id FROM contract WHERE starts_with(partnership_id, $1) ORDER BY partnership_id COLLATE "C" LIMIT $2

-- name: postings
-- The receipts and reversals posted to a period ($2), in no order: the reader sorts them faster.
SELECT r.first_index AS index, receipt_id AS id, collected_on AS dated_on, service_id, amount_halalas, contract_version,
       window_number, before_halalas, partner_halalas, treasury_halalas
FROM period p
CROSS JOIN LATERAL (
    SELECT * FROM receipt r WHERE r.partnership_id = $1 AND r.partner_halalas > 0
        AND r.first_index + 0 BETWEEN p.first_index AND p.last_index
    UNION ALL
    SELECT * FROM receipt r WHERE r.partnership_id = $1 AND r.treasury_halalas > 0 AND r.partner_halalas = 0
        AND r.first_index + 0 BETWEEN p.first_index AND p.last_index
) r
WHERE p.partnership_id = $1 AND p.period = $2 AND r.period = $2
UNION ALL
SELECT r.index, r.reversal_id, r.reversed_on, c.service_id, -r.amount_halalas, r.contract_version, r.window_number,
       r.before_halalas, -r.partner_halalas, -r.treasury_halalas
FROM reversal r JOIN receipt c ON c.partnership_id = r.partnership_id AND c.receipt_id = r.receipt_id
WHERE r.partnership_id = $1 AND r.period = $2

-- name: outstanding_before
-- The top-ups that were not recovered yet when the period before $2 closed.
SELECT top_up_outstanding_halalas FROM statement
WHERE partnership_id = $1 AND period COLLATE "C" < $2 ORDER BY period COLLATE "C" DESC LIMIT 1

-- name: payouts
-- What was paid to the partner, in log order.
SELECT payout_id, amount_halalas, paid_on, index FROM payout WHERE partnership_id = $1 ORDER BY index

-- name: expected
-- The expected revenue of each period by the version that is in force for it (R5), with the statement if it is closed.
-- After a termination, none is expected of later periods (R10).
SELECT e.period, e.amount_halalas AS expected_halalas, e.version AS contract_version, s.net_halalas,
       s.partner_total_halalas, s.top_up_halalas
FROM expected e
JOIN contract c ON c.partnership_id = e.partnership_id AND e.period COLLATE "C" <= c.last_period
LEFT JOIN statement s ON s.partnership_id = e.partnership_id AND s.period = e.period
WHERE e.partnership_id = $1
  AND e.version = (SELECT max(v.version) FROM contract_version v
                   WHERE v.partnership_id = $1 AND v.effective_from COLLATE "C" <= e.period)
ORDER BY e.period COLLATE "C"

-- name: expected_by_version
-- What each version expects of the periods from its first on; what it says of earlier ones has no effect (R5).
SELECT v.version, coalesce(sum(e.amount_halalas), 0) AS expected_halalas
FROM contract_version v
LEFT JOIN expected e ON e.partnership_id = v.partnership_id AND e.version = v.version
    AND v.effective_from COLLATE "C" <= e.period
WHERE v.partnership_id = $1
GROUP BY v.version
