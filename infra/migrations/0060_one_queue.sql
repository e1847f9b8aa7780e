-- What leaves us waits in delivery.message alone (docs/decisions/one-queue.md): the sender begins with all that waits there,
-- also what an earlier release had put into the queue, or had not put there yet.
DROP TRIGGER wake ON delivery.message;
ALTER TABLE delivery.message DROP COLUMN queued;
DROP TABLE delivery.pgqueuer, delivery.pgqueuer_log, delivery.pgqueuer_schedules, delivery.pgqueuer_statistics;
DROP FUNCTION delivery.fn_pgqueuer_changed;
DROP TYPE delivery.pgqueuer_status;

-- Where a message goes: a webhook to its endpoint, an e-mail to the one mail server.
CREATE FUNCTION delivery.destination(route text, endpoint_id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN route = 'webhook' THEN endpoint_id ELSE route END;

-- A new message wakes the sender of its route when the transaction commits.
CREATE OR REPLACE FUNCTION delivery.wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('yesser_delivery', a.route || ' ' || delivery.destination(a.route, a.endpoint_id))
    FROM (SELECT DISTINCT route, endpoint_id FROM added WHERE state = 'waiting') a;
    RETURN NULL;
END $$;
CREATE TRIGGER wake AFTER INSERT ON delivery.message
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION delivery.wake();

-- An e-mail that an earlier release had claimed, and of whose attempt nothing is known, is due now.
UPDATE delivery.message m SET next_attempt_at = clock_timestamp()
WHERE m.route = 'email' AND m.state = 'waiting' AND m.attempts > 0
    AND NOT EXISTS (SELECT FROM delivery.attempt a WHERE a.message_id = m.message_id AND a.number = m.attempts);
