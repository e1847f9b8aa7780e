-- name: give_back
UPDATE delivery.pgqueuer SET status = 'queued', queue_manager_id = NULL WHERE status = 'picked'

-- name: forget
DELETE FROM delivery.pgqueuer_log WHERE created < clock_timestamp() - $1::interval
