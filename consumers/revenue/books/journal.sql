-- name: transfers
-- In log order, each with what it was for: a receipt, a reversal, a payout, or the closing of a period; and with the
-- version and the window that priced it: the members of a booking, and the calendar.
SELECT t.index, t.line, coalesce(r.collected_on, v.reversed_on, p.paid_on) AS day, t.partnership_id, t.kind,
       coalesce(r.receipt_id, v.reversal_id, p.payout_id) AS reason, t.period,
       coalesce(r.contract_version, v.contract_version, s.contract_version) AS contract_version,
       coalesce(r.window_number, v.window_number) AS window_number, t.debit, t.credit, t.amount_halalas, c.calendar
FROM transfer t
JOIN contract c ON c.partnership_id = t.partnership_id
LEFT JOIN receipt r ON r.partnership_id = t.partnership_id AND r.first_index = t.index
LEFT JOIN reversal v ON v.partnership_id = t.partnership_id AND v.index = t.index
LEFT JOIN payout p ON p.partnership_id = t.partnership_id AND p.index = t.index
LEFT JOIN statement s
  ON s.partnership_id = t.partnership_id AND s.period = t.period AND s.closing_index = t.index
WHERE $1::text IS NULL OR t.partnership_id = $1
ORDER BY t.index, t.line
