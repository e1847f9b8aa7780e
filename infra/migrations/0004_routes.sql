-- Whoever writes into the outbox wakes the relay when the transaction commits.
CREATE FUNCTION platform.wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('yesser_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER wake_relay AFTER INSERT ON platform.outbox
    FOR EACH STATEMENT EXECUTE FUNCTION platform.wake_relay();

-- How far each route was fed: entries below `next_index` were acknowledged by it. It is no read model: a rebuild leaves
-- it alone, so that nobody is called twice.
CREATE TABLE platform.route_position (
    route text PRIMARY KEY,
    next_index bigint NOT NULL DEFAULT 0 CHECK (next_index >= 0)
);
