-- Campaign triggers on their way to the teams: who gets what, by which route, and what became of it. Nothing here is
-- derived from the log, and a rebuild leaves it alone. Addresses of desks and secrets stand here and never in the log.
CREATE SCHEMA delivery;

-- A team of an agency. Its contacts are desks, never persons; the first is written to first, the next on escalation.
CREATE TABLE delivery.team (
    agency text NOT NULL,
    team text NOT NULL CHECK (team ~ '^[a-z][a-z0-9-]{0,62}$'),
    name jsonb NOT NULL,
    language text NOT NULL DEFAULT 'ar' CHECK (language IN ('ar', 'en')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    PRIMARY KEY (agency, team)
);
CREATE TABLE delivery.contact (
    agency text NOT NULL,
    team text NOT NULL,
    rank integer NOT NULL CHECK (rank BETWEEN 1 AND 9),
    address text NOT NULL CHECK (length(address) <= 254),
    PRIMARY KEY (agency, team, rank),
    FOREIGN KEY (agency, team) REFERENCES delivery.team
);

-- A webhook of a team. `disabled_reason` is set while it gets nothing.
CREATE TABLE delivery.endpoint (
    endpoint_id text PRIMARY KEY,
    agency text NOT NULL,
    team text NOT NULL,
    url text NOT NULL CHECK (length(url) <= 2048),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    failing_since timestamptz,
    disabled_at timestamptz,
    disabled_reason text CHECK (disabled_reason IN ('gone', 'failing', 'by-team')),
    FOREIGN KEY (agency, team) REFERENCES delivery.team
);
CREATE INDEX ON delivery.endpoint (agency, team);

-- The secrets that sign an endpoint's deliveries: at most two active ones of a kind. `sealed` is encrypted with the key
-- file of the delivery process, and bound to the row.
CREATE TABLE delivery.endpoint_secret (
    endpoint_id text NOT NULL REFERENCES delivery.endpoint,
    secret_id integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('v1', 'v1a')),
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    PRIMARY KEY (endpoint_id, secret_id)
);

-- The public key that seals these secrets. The delivery process publishes it; only that process has the private key.
CREATE TABLE delivery.sealing_key (
    slot integer PRIMARY KEY CHECK (slot = 1),
    public_key bytea NOT NULL CHECK (length(public_key) = 32)
);

-- What a team wants by which route. NULL in `rules`, `services`, `channels` or `types` means all. `from_index`: entries
-- below it are not sent, but for a backfill, which goes up to `backfill_to` and is marked as a replay.
CREATE TABLE delivery.subscription (
    subscription_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency text NOT NULL,
    team text NOT NULL,
    route text NOT NULL CHECK (route IN ('webhook', 'email')),
    endpoint_id text REFERENCES delivery.endpoint,
    rules text[],
    services text[],
    channels text[],
    types text[],
    from_index bigint NOT NULL,
    backfill_next bigint,
    backfill_to bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    FOREIGN KEY (agency, team) REFERENCES delivery.team,
    CHECK ((route = 'webhook') = (endpoint_id IS NOT NULL))
);
CREATE INDEX ON delivery.subscription (agency, team);

-- A message to one endpoint or one team: an entry of the log (`log_index`), or a moment of a campaign (a reminder). The same
-- one is never made twice. The body is made from the log's entry when it is sent. Messages of one lane go in order.
-- `queued`: the queue below has been told of this webhook.
CREATE TABLE delivery.message (
    message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id bigint REFERENCES delivery.subscription,
    route text NOT NULL CHECK (route IN ('webhook', 'email')),
    agency text NOT NULL,
    team text NOT NULL,
    endpoint_id text REFERENCES delivery.endpoint,
    kind text NOT NULL,
    event_id text NOT NULL,
    log_index bigint,
    campaign_id text,
    lane text NOT NULL,
    replay boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    late boolean NOT NULL DEFAULT false,
    queued boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX message_once ON delivery.message (subscription_id, kind, event_id) WHERE NOT replay;
-- What the clock makes (reminders, digests), and news of an endpoint, are for a team and not for a subscription.
CREATE UNIQUE INDEX message_of_team_once ON delivery.message (agency, team, route, kind, event_id)
    WHERE subscription_id IS NULL AND NOT replay;
CREATE INDEX message_mails ON delivery.message (message_id) WHERE route = 'email' AND state = 'waiting';
CREATE INDEX message_mails_of_lane ON delivery.message (agency, team, lane, message_id)
    WHERE route = 'email' AND state = 'waiting';
CREATE INDEX ON delivery.message (endpoint_id, lane, message_id) WHERE state = 'waiting';
CREATE INDEX ON delivery.message (endpoint_id, replay, message_id) WHERE state = 'waiting';
CREATE INDEX ON delivery.message (endpoint_id, created_at) WHERE route = 'webhook';
CREATE INDEX ON delivery.message (message_id) WHERE route = 'webhook' AND NOT queued;
CREATE INDEX ON delivery.message (agency, team, message_id);

-- What others than the delivery process add (an example, a redelivery) wakes it when the transaction commits.
CREATE FUNCTION delivery.wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('yesser_delivery', '');
    RETURN NULL;
END $$;
CREATE TRIGGER wake AFTER INSERT ON delivery.message
    FOR EACH ROW WHEN (NEW.route = 'webhook' AND NOT NEW.queued) EXECUTE FUNCTION delivery.wake();

-- Each attempt to deliver: what came back, how long it took, and the first KiB of the answer.
CREATE TABLE delivery.attempt (
    message_id bigint NOT NULL REFERENCES delivery.message,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    status integer,
    latency_ms integer NOT NULL,
    error text,
    answer bytea CHECK (length(answer) <= 1024),
    PRIMARY KEY (message_id, number)
);
CREATE INDEX ON delivery.attempt (at);

-- How far each part of the delivery process has read: `router` the entries about campaigns, by log index.
CREATE TABLE delivery.position (
    part text PRIMARY KEY,
    next_index bigint NOT NULL
);

-- Addresses under which a calendar reads a team's due dates without a token. The secret in the address is shown once; here is its hash.
CREATE TABLE delivery.calendar_feed (
    feed_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency text NOT NULL,
    team text NOT NULL,
    secret_sha256 bytea NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz,
    FOREIGN KEY (agency, team) REFERENCES delivery.team
);
CREATE INDEX ON delivery.calendar_feed (agency, team);

-- The queue of endpoints that have something to send: the tables of PgQueuer 1.6, as it writes them for this schema.
CREATE TYPE delivery.pgqueuer_status AS ENUM ('queued', 'picked', 'successful', 'exception', 'canceled', 'deleted', 'failed');

CREATE TABLE delivery.pgqueuer (
    id bigserial NOT NULL PRIMARY KEY,
    priority integer NOT NULL,
    queue_manager_id uuid,
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    execute_after timestamp with time zone NOT NULL DEFAULT now(),
    status delivery.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL,
    dedupe_key text,
    payload bytea,
    headers jsonb,
    attempts integer NOT NULL DEFAULT 0,
    slot bigint
);

CREATE TABLE delivery.pgqueuer_log (
    id bigint GENERATED BY DEFAULT AS IDENTITY NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT now(),
    job_id bigint NOT NULL,
    status delivery.pgqueuer_status NOT NULL,
    priority integer NOT NULL,
    entrypoint text NOT NULL,
    traceback jsonb,
    aggregated boolean DEFAULT false
);

CREATE TABLE delivery.pgqueuer_schedules (
    id bigserial NOT NULL PRIMARY KEY,
    expression text NOT NULL,
    entrypoint text NOT NULL,
    heartbeat timestamp with time zone NOT NULL DEFAULT now(),
    created timestamp with time zone NOT NULL DEFAULT now(),
    updated timestamp with time zone NOT NULL DEFAULT now(),
    next_run timestamp with time zone NOT NULL DEFAULT now(),
    last_run timestamp with time zone,
    status delivery.pgqueuer_status DEFAULT 'queued'::delivery.pgqueuer_status,
    UNIQUE (expression, entrypoint)
);

CREATE TABLE delivery.pgqueuer_statistics (
    id bigserial NOT NULL PRIMARY KEY,
    created timestamp with time zone NOT NULL DEFAULT date_trunc('sec'::text, now()),
    count bigint NOT NULL,
    priority integer NOT NULL,
    status delivery.pgqueuer_status NOT NULL,
    entrypoint text NOT NULL
);

CREATE INDEX pgqueuer_ep_ea_idx ON delivery.pgqueuer USING btree (entrypoint, execute_after) WHERE (status = 'queued'::delivery.pgqueuer_status);

CREATE INDEX pgqueuer_ep_prio_id_idx ON delivery.pgqueuer USING btree (entrypoint, priority DESC, id) WHERE (status = 'queued'::delivery.pgqueuer_status);

CREATE INDEX pgqueuer_log_created ON delivery.pgqueuer_log USING btree (created);

CREATE INDEX pgqueuer_log_job_id_status ON delivery.pgqueuer_log USING btree (job_id, created DESC);

CREATE INDEX pgqueuer_log_not_aggregated ON delivery.pgqueuer_log USING btree ((1)) WHERE (NOT aggregated);

CREATE INDEX pgqueuer_log_status ON delivery.pgqueuer_log USING btree (status);

CREATE INDEX pgqueuer_picked_heartbeat_idx ON delivery.pgqueuer USING btree (heartbeat) WHERE (status = 'picked'::delivery.pgqueuer_status);

CREATE UNIQUE INDEX pgqueuer_picked_slot_idx ON delivery.pgqueuer USING btree (entrypoint, slot) WHERE ((status = 'picked'::delivery.pgqueuer_status) AND (slot IS NOT NULL));

CREATE INDEX pgqueuer_priority_id_id1_idx ON delivery.pgqueuer USING btree (priority, id DESC) INCLUDE (id) WHERE (status = 'queued'::delivery.pgqueuer_status);

CREATE INDEX pgqueuer_queue_manager_id_idx ON delivery.pgqueuer USING btree (queue_manager_id) WHERE (queue_manager_id IS NOT NULL);

CREATE UNIQUE INDEX pgqueuer_statistics_unique_count ON delivery.pgqueuer_statistics USING btree (priority, date_trunc('sec'::text, timezone('UTC'::text, created)), status, entrypoint);

CREATE UNIQUE INDEX pgqueuer_unique_dedupe_key ON delivery.pgqueuer USING btree (dedupe_key) WHERE ((status = ANY (ARRAY['queued'::delivery.pgqueuer_status, 'picked'::delivery.pgqueuer_status])) AND (dedupe_key IS NOT NULL));

CREATE INDEX pgqueuer_updated_id_id1_idx ON delivery.pgqueuer USING btree (updated, id DESC) INCLUDE (id) WHERE (status = 'picked'::delivery.pgqueuer_status);

CREATE FUNCTION delivery.fn_pgqueuer_changed() RETURNS TRIGGER AS $$
DECLARE
    to_emit BOOLEAN := false;  -- Flag to decide whether to emit a notification
BEGIN
    -- Check operation type and set the emit flag accordingly
    IF TG_OP = 'UPDATE' AND OLD IS DISTINCT FROM NEW THEN
        to_emit := true;
    ELSIF TG_OP = 'DELETE' THEN
        to_emit := true;
    ELSIF TG_OP = 'INSERT' THEN
        to_emit := true;
    ELSIF TG_OP = 'TRUNCATE' THEN
        to_emit := true;
    END IF;

    -- Perform notification if the emit flag is set
    IF to_emit THEN
        PERFORM pg_notify(
            'ch_pgqueuer',
            json_build_object(
                'channel', 'ch_pgqueuer',
                'operation', lower(TG_OP),
                'sent_at', NOW(),
                'table', TG_TABLE_NAME,
                'type', 'table_changed_event'
            )::text
        );
    END IF;

    -- Return appropriate value based on the operation
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    ELSE
        RETURN NULL; -- For TRUNCATE and other non-row-specific contexts
    END IF;

END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER tg_pgqueuer_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON delivery.pgqueuer
EXECUTE FUNCTION delivery.fn_pgqueuer_changed();
