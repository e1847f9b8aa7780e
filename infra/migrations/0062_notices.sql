-- Notices to an agency's engineers (docs/decisions/notices-are-digests.md). A rebuild of the read models leaves them alone.

-- What was told: the content of the messages whose `event_id` is its id.
CREATE TABLE delivery.notice (
    notice_id text PRIMARY KEY,
    agency text NOT NULL,
    type text NOT NULL,
    made_at timestamptz NOT NULL,
    data jsonb NOT NULL
);
CREATE INDEX ON delivery.notice (made_at);

-- Refusals (`source` log) and anomalies (a consumer's) of an agency since the last notice about them, and how long they are gathered:
-- longer each time while they go on. `items` 0: there are none.
CREATE TABLE delivery.notice_window (
    agency text NOT NULL,
    source text NOT NULL,
    items bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    wait interval NOT NULL,
    noticed_at timestamptz,
    PRIMARY KEY (agency, source)
);

-- Each pause, halt, expiry and silence that was noted, whether or not a team had subscribed by then. That of a pause goes when it ends.
CREATE TABLE delivery.noted (
    agency text NOT NULL,
    type text NOT NULL,
    item text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (agency, type, item)
);
CREATE INDEX ON delivery.noted (noted_at);

-- What an agency expects of its own systems: an event of a type, about `subject` or any, each month by the end of a day, or at least
-- every so many days.
CREATE TABLE delivery.expectation (
    expectation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agency text NOT NULL,
    type text NOT NULL,
    subject text,
    every_days integer CHECK (every_days BETWEEN 1 AND 400),
    by_day integer CHECK (by_day BETWEEN 1 AND 28),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    CHECK ((every_days IS NULL) <> (by_day IS NULL))
);
CREATE INDEX ON delivery.expectation (agency) WHERE ended_at IS NULL;

-- Client certificates that `yesser agencies certificate` issued: nobody else knows when they expire.
CREATE TABLE platform.client_certificate (
    serial text PRIMARY KEY,
    agency text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);

-- Whether a subscription to these types (NULL: those of campaigns) names one of campaigns, and not notices alone.
CREATE FUNCTION delivery.names_campaigns(types text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN types IS NULL OR EXISTS (SELECT FROM unnest(types) name WHERE name NOT LIKE 'notice.%');
