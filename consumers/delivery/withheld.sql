-- name: position
SELECT next_index FROM delivery.position WHERE part = 'withheld'

-- name: withheld
-- The entries of which a text was withheld from a position on, and the position behind the last.
SELECT array_agg(index) AS indexes, max(withheld_index) + 1 AS next_index FROM log.text WHERE withheld_index >= $1

-- name: delete_answers
UPDATE delivery.attempt a SET answer = NULL FROM delivery.message m
WHERE m.message_id = a.message_id AND m.log_index = ANY($1::bigint[]) AND a.answer IS NOT NULL

-- name: move
INSERT INTO delivery.position (part, next_index) VALUES ('withheld', $1)
ON CONFLICT (part) DO UPDATE SET next_index = excluded.next_index
