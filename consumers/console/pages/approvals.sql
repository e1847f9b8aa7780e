-- name: requests
-- The newest $1. `now` is the time by which they are judged.
SELECT *, clock_timestamp() AS now FROM console.approval ORDER BY approval_id DESC LIMIT $1

-- name: text
SELECT value FROM log.text WHERE index = $1 AND member = $2

-- name: locked
-- Until the end of the transaction: its new seal is of what it says now.
SELECT *, clock_timestamp() AS now FROM console.approval WHERE approval_id = $1 FOR UPDATE

-- name: confirm
UPDATE console.approval SET first_by = $2, first_at = $3, second_by = $4, second_at = $5, seal = $6
WHERE approval_id = $1
