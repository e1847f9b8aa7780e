-- Lists of webhooks and of what waits, at any number of messages. Run statement by statement, while messages are sent.
CREATE INDEX CONCURRENTLY IF NOT EXISTS attempt_without_endpoint ON delivery.attempt (message_id) WHERE endpoint_id IS NULL;
UPDATE delivery.attempt a SET endpoint_id = m.endpoint_id
FROM (
    SELECT message_id, number, m.endpoint_id FROM delivery.attempt JOIN delivery.message m USING (message_id)
    WHERE attempt.endpoint_id IS NULL AND m.route = 'webhook' LIMIT 10000
) m
WHERE (a.message_id, a.number) = (m.message_id, m.number);
DROP INDEX CONCURRENTLY IF EXISTS delivery.attempt_without_endpoint;
-- In UTC: the index of `at` has the order of `at` too, and would be chosen, though it passes over all other webhooks.
CREATE INDEX CONCURRENTLY IF NOT EXISTS attempt_of_endpoint
    ON delivery.attempt (endpoint_id, (at AT TIME ZONE 'UTC') DESC, message_id DESC) WHERE endpoint_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_undelivered ON delivery.message (endpoint_id)
    WHERE route = 'webhook' AND state IN ('failed', 'cancelled');
-- In the place of the one for e-mails alone.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_waiting ON delivery.message (route, message_id) WHERE state = 'waiting';
DROP INDEX CONCURRENTLY IF EXISTS delivery.message_mails;
