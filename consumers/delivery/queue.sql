-- name: give_back
UPDATE delivery.pgqueuer SET status = 'queued', queue_manager_id = NULL WHERE status = 'picked'
