-- What the platform's own processes need besides the log.
CREATE SCHEMA platform;

-- Authority, as the log says it: a row is written by the registrar in the transaction of its `agency-registered`.
CREATE TABLE platform.agency (
    code text PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('office', 'agency', 'platform')),
    name jsonb NOT NULL,
    registered_index bigint NOT NULL
);

-- The lease is for liveness (database time), the epoch for safety (it only grows).
CREATE TABLE platform.lease (
    name text PRIMARY KEY,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- One number a consumer: how many entries it applied.
CREATE TABLE platform.position (
    consumer text PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    epoch bigint NOT NULL DEFAULT 0,
    rules_version integer NOT NULL DEFAULT 1,
    gaps_filled bigint NOT NULL DEFAULT 0,
    halted_reason text
);
CREATE FUNCTION platform.position_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position < OLD.position OR NEW.epoch < OLD.epoch THEN
        RAISE EXCEPTION 'the position of % may only grow (% -> %)', OLD.consumer, OLD.position, NEW.position;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_grows BEFORE UPDATE ON platform.position
    FOR EACH ROW EXECUTE FUNCTION platform.position_only_grows();

-- What the platform decided and has not yet told Kafka: final bytes, sent in row order by one relay, then removed.
CREATE TABLE platform.outbox (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL,
    cause_index bigint
);
