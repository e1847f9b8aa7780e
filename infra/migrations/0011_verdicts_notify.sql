-- A long poll waits for verdicts: each move of a topic's read position wakes it when the transaction commits.
CREATE FUNCTION log.notify_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('yesser_verdicts', NEW.topic);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_verdicts AFTER UPDATE OF next_offset ON log.read_position
    FOR EACH ROW WHEN (NEW.next_offset > OLD.next_offset) EXECUTE FUNCTION log.notify_verdicts();
