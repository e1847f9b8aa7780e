-- Queries of the ledger's routes. Names are unqualified: `search_path` selects the tables of the revenue share.

-- name: open_periods
-- The open period of each partnership: an owner's ($1) or a partner's ($2), after $3.
SELECT c.partnership_id, c.open_period AS period, coalesce(e.amount_halalas, 0) AS expected_halalas,
       coalesce(p.collected_halalas - p.reversed_halalas, 0) AS net_halalas
FROM contract c
LEFT JOIN period p ON p.partnership_id = c.partnership_id AND p.period = c.open_period
LEFT JOIN expected e
  ON e.partnership_id = c.partnership_id AND e.period = c.open_period
 AND e.version = (SELECT max(v.version) FROM contract_version v
                  WHERE v.partnership_id = c.partnership_id AND v.effective_from COLLATE "C" <= c.open_period)
WHERE ($1::text IS NULL OR c.owner = $1)
  AND ($2::text[] IS NULL OR c.owner || '/' || (c.partner ->> 'partner_id') = ANY($2))
  AND c.partnership_id COLLATE "C" > $3
ORDER BY c.partnership_id COLLATE "C" LIMIT $4

-- name: periods
-- Each period with something expected, posted or closed, and the open one: the version in force for it (R5), what that
-- expects, what came so far, and what its statement says.
SELECT label.period, in_force.version AS contract_version, s.period IS NOT NULL AS closed,
       coalesce(e.amount_halalas, 0) AS expected_halalas,
       coalesce(s.net_halalas, p.collected_halalas - p.reversed_halalas, 0) AS net_halalas,
       s.partner_total_halalas, s.treasury_total_halalas, s.top_up_halalas, s.recovered_halalas, s.closing_index
FROM contract c
JOIN (SELECT partnership_id, period FROM expected
      UNION SELECT partnership_id, period FROM period
      UNION SELECT partnership_id, open_period FROM contract WHERE open_period IS NOT NULL) AS label
  ON label.partnership_id = c.partnership_id AND label.period COLLATE "C" <= c.last_period
CROSS JOIN LATERAL (SELECT max(v.version) AS version FROM contract_version v
                    WHERE v.partnership_id = c.partnership_id AND v.effective_from COLLATE "C" <= label.period) AS in_force
LEFT JOIN expected e
  ON e.partnership_id = c.partnership_id AND e.version = in_force.version AND e.period = label.period
LEFT JOIN period p ON p.partnership_id = c.partnership_id AND p.period = label.period
LEFT JOIN statement s ON s.partnership_id = c.partnership_id AND s.period = label.period
WHERE c.partnership_id = $1
ORDER BY label.period COLLATE "C"

-- name: accounts
-- The accounts of a partnership that have a transfer.
SELECT kind, account, debits_halalas, credits_halalas, debits_halalas - credits_halalas AS balance_halalas,
       transfers_count, first_index, last_index
FROM account WHERE partnership_id = $1 ORDER BY account COLLATE "C"
