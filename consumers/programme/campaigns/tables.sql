-- Campaigns that a rule decided; listed from their entry `campaign.triggered` on.
CREATE TABLE campaign (
    campaign_id text COLLATE "C" PRIMARY KEY,
    rule text NOT NULL,
    rules_version bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('specific', 'general')),
    cause_index bigint NOT NULL,
    owner text NOT NULL,
    service_id text COLLATE "C",
    channels jsonb NOT NULL,
    due_on text NOT NULL,
    triggered_due_on text NOT NULL,
    brief jsonb NOT NULL,
    reason jsonb NOT NULL,
    urgency text NOT NULL CHECK (urgency IN ('normal', 'high')),
    state text CHECK (state IN ('triggered', 'acknowledged', 'completed')),
    days_added bigint NOT NULL,
    waiting jsonb NOT NULL,
    triggered_index bigint,
    acknowledged_index bigint,
    acknowledged_by text,
    acknowledged_at text,
    completed_index bigint,
    escalated boolean NOT NULL,
    tv bigint NOT NULL,
    radio bigint NOT NULL,
    print bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    count bigint NOT NULL
);

-- Airings that counted, each once.
CREATE TABLE airing (
    campaign_id text COLLATE "C" NOT NULL,
    airing_id text COLLATE "C" NOT NULL,
    index bigint NOT NULL,
    channel text NOT NULL CHECK (channel IN ('tv', 'radio', 'print')),
    outlet jsonb NOT NULL,
    aired_on text NOT NULL,
    reach bigint NOT NULL,
    corrected_index bigint,
    PRIMARY KEY (campaign_id, airing_id)
);

-- Airings about each launched service, and since when its campaigns are paused.
CREATE TABLE coverage (
    service_id text COLLATE "C" PRIMARY KEY,
    launched_index bigint,
    launched_recorded text,
    suspended_from text,
    days_suspended bigint NOT NULL,
    campaign_ids jsonb NOT NULL,
    tv bigint NOT NULL,
    radio bigint NOT NULL,
    print bigint NOT NULL,
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    count bigint NOT NULL
);

-- Every evaluation with its reason, but those at certificates that did not fire.
CREATE TABLE evaluation (
    rule text COLLATE "C" NOT NULL,
    cause_index bigint NOT NULL,
    part text COLLATE "C" NOT NULL,
    rules_version bigint NOT NULL,
    fired boolean NOT NULL,
    campaign_id text,
    reason jsonb NOT NULL,
    index bigint NOT NULL,
    PRIMARY KEY (rule, cause_index, part)
);

-- Evaluations at certificates that did not fire: one row for each quota and reason.
CREATE TABLE evaluation_run (
    rule text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL,
    why text COLLATE "C" NOT NULL CHECK (why IN ('no-target', 'fired-before', 'below', 'contradicted')),
    first_index bigint NOT NULL,
    last_index bigint NOT NULL,
    count bigint NOT NULL,
    figure bigint,
    target bigint,
    PRIMARY KEY (rule, part, why)
);

-- Rules that fire once for each group of a plan, or each quota, and have fired.
CREATE TABLE once (
    rule text COLLATE "C" NOT NULL,
    part text COLLATE "C" NOT NULL,
    campaign_id text NOT NULL,
    index bigint NOT NULL,
    PRIMARY KEY (rule, part)
);

-- The programme office that owns general campaigns: the first one registered.
CREATE TABLE office (
    slot bigint PRIMARY KEY CHECK (slot = 1),
    code text NOT NULL,
    index bigint NOT NULL
);

-- Registered agencies and their names.
CREATE TABLE agency_name (
    code text COLLATE "C" PRIMARY KEY,
    name jsonb NOT NULL,
    index bigint NOT NULL
);

-- Entries about campaigns that took effect, in log order: what each route brings to the owner's teams. Each route has its own
-- position: these rows stay.
CREATE TABLE route (
    index bigint PRIMARY KEY,
    campaign_id text NOT NULL,
    type text NOT NULL,
    owner text NOT NULL,
    service_id text
);

-- Wakes the processes that send these entries on, at commit.
CREATE FUNCTION notify_route() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('yesser_campaigns', '');
    RETURN NULL;
END $$;
CREATE TRIGGER notify_route AFTER INSERT ON route FOR EACH STATEMENT EXECUTE FUNCTION notify_route();
