-- What waits for a destination, in the order in which it is sent, and within its lane. Built while messages are sent.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_of_destination
    ON delivery.message (delivery.destination(route, endpoint_id), replay, message_id) WHERE state = 'waiting';
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_of_lane
    ON delivery.message (delivery.destination(route, endpoint_id), agency, team, lane, message_id) WHERE state = 'waiting';
-- In the place of these.
DROP INDEX CONCURRENTLY IF EXISTS delivery.message_mails_of_lane;
DROP INDEX CONCURRENTLY IF EXISTS delivery.message_endpoint_id_lane_message_id_idx;
