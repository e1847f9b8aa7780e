-- Teams, webhooks and subscriptions. Each change first takes the lock of its agency, so that limits hold.

-- name: lock_seals
-- A rotation of the key waits for this transaction, and seals its rows again; those that begin later use the next key.
SELECT pg_advisory_xact_lock_shared(7370056)

-- name: lock_agency
SELECT pg_advisory_xact_lock(7370019, hashtext($1))

-- name: is_registered
SELECT EXISTS (SELECT FROM platform.agency WHERE code = $1 AND role <> 'platform')

-- name: team_state
-- NULL: there is no such team.
SELECT CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END
FROM delivery.team WHERE agency = $1 AND team = $2

-- name: teams_count
SELECT count(*) FROM delivery.team WHERE agency = $1 AND closed_at IS NULL

-- name: put_team
-- A closed team is opened again.
INSERT INTO delivery.team (agency, team, name, language) VALUES ($1, $2, $3, $4)
ON CONFLICT (agency, team) DO UPDATE SET name = EXCLUDED.name, language = EXCLUDED.language, closed_at = NULL

-- name: team_to_seal
SELECT agency, team, name, language, closed_at FROM delivery.team WHERE agency = $1 AND team = $2

-- name: seal_team
UPDATE delivery.team SET seal = $3 WHERE agency = $1 AND team = $2

-- name: close_team
UPDATE delivery.team SET closed_at = clock_timestamp() WHERE agency = $1 AND team = $2 AND closed_at IS NULL

-- name: delete_contacts
DELETE FROM delivery.contact WHERE agency = $1 AND team = $2

-- name: add_contacts
INSERT INTO delivery.contact (agency, team, rank, address)
SELECT $1, $2, rank, address FROM unnest($3::text[]) WITH ORDINALITY AS given (address, rank)

-- name: teams
SELECT
    t.agency, t.team, t.name, t.language, t.created_at, t.closed_at,
    (SELECT count(*) FROM delivery.contact c WHERE (c.agency, c.team) = (t.agency, t.team)) AS contacts,
    (
        SELECT count(*) FROM delivery.endpoint e
        WHERE (e.agency, e.team) = (t.agency, t.team) AND e.disabled_at IS NULL
    ) AS webhooks,
    (
        SELECT count(*) FROM delivery.subscription s
        WHERE (s.agency, s.team) = (t.agency, t.team) AND s.ended_at IS NULL
    ) AS subscriptions
FROM delivery.team t
WHERE ($1::text IS NULL OR t.agency = $1) AND ($2::text IS NULL OR t.team = $2) AND ($3 OR t.closed_at IS NULL)
    AND t.team > $4
ORDER BY t.agency, t.team LIMIT $5

-- name: domains
SELECT domain FROM delivery.agency_domain WHERE agency = $1 ORDER BY domain

-- name: delete_domains
DELETE FROM delivery.agency_domain WHERE agency = $1

-- name: add_domains
INSERT INTO delivery.agency_domain (agency, domain) SELECT $1, unnest($2::text[])

-- name: endpoints_count
SELECT count(*) FROM delivery.endpoint WHERE agency = $1 AND team = $2 AND disabled_at IS NULL

-- name: endpoint_of_url
SELECT endpoint_id FROM delivery.endpoint WHERE agency = $1 AND team = $2 AND url = $3 AND disabled_reason IS DISTINCT FROM 'by-team'

-- name: add_endpoint
INSERT INTO delivery.endpoint (endpoint_id, agency, team, url, seal) VALUES ($1, $2, $3, $4, $5)

-- name: endpoint
SELECT agency, team FROM delivery.endpoint
WHERE endpoint_id = $1 AND ($2::text IS NULL OR agency = $2)

-- name: endpoints
SELECT
    e.endpoint_id, e.agency, e.team, e.url, e.created_at, e.failing_since, e.disabled_at, e.disabled_reason,
    (
        SELECT jsonb_agg(jsonb_build_object('kind', s.kind, 'expires_at', s.expires_at) ORDER BY s.secret_id)
        FROM delivery.endpoint_secret s
        WHERE s.endpoint_id = e.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp())
    ) AS secrets
FROM delivery.endpoint e
WHERE ($1::text IS NULL OR e.agency = $1) AND ($2::text IS NULL OR e.team = $2)
    AND ($3 OR e.disabled_reason IS DISTINCT FROM 'by-team') AND e.endpoint_id > $4
ORDER BY e.endpoint_id LIMIT $5

-- name: open_endpoints
SELECT endpoint_id FROM delivery.endpoint
WHERE agency = $1 AND team = $2 AND disabled_at IS NULL ORDER BY created_at, endpoint_id

-- name: disable_endpoints
-- The sender, which may rest until much later, is woken to cancel what waits.
UPDATE delivery.endpoint SET disabled_at = clock_timestamp(), disabled_reason = 'by-team'
WHERE agency = $1 AND team = $2 AND disabled_at IS NULL
RETURNING pg_notify('yesser_delivery', 'webhook ' || endpoint_id)

-- name: disable_endpoint
-- As above.
UPDATE delivery.endpoint SET disabled_at = clock_timestamp(), disabled_reason = 'by-team'
WHERE endpoint_id = $1 AND disabled_at IS NULL
RETURNING pg_notify('yesser_delivery', 'webhook ' || endpoint_id)

-- name: enable_endpoint
UPDATE delivery.endpoint SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL
WHERE endpoint_id = $1 AND disabled_at IS NOT NULL

-- name: revoke_calendar
UPDATE delivery.calendar_feed SET revoked_at = clock_timestamp()
WHERE agency = $1 AND team = $2 AND revoked_at IS NULL

-- name: active_secrets
SELECT kind, count(*) AS active, min(expires_at) AS first_ends FROM delivery.endpoint_secret
WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp()) GROUP BY kind

-- name: last_secret
SELECT coalesce(max(secret_id), 0) FROM delivery.endpoint_secret WHERE endpoint_id = $1

-- name: expire_secrets
-- Never later than they would have expired.
UPDATE delivery.endpoint_secret
SET expires_at = least(expires_at, clock_timestamp() + make_interval(hours => $2::integer))
WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp())

-- name: add_secret
INSERT INTO delivery.endpoint_secret (endpoint_id, secret_id, kind, sealed) VALUES ($1, $2, $3, $4)

-- name: waiting_examples
SELECT count(*) FROM delivery.message WHERE endpoint_id = $1 AND kind = 'example' AND state = 'waiting'

-- name: add_example
INSERT INTO delivery.message (route, agency, team, endpoint_id, kind, event_id, lane)
VALUES ('webhook', $1, $2, $3, 'example', $4, 'example') RETURNING message_id

-- name: subscriptions_count
SELECT count(*) FROM delivery.subscription WHERE agency = $1 AND team = $2 AND ended_at IS NULL

-- name: same_subscription
SELECT subscription_id FROM delivery.subscription
WHERE agency = $1 AND team = $2 AND ended_at IS NULL AND route = $3 AND endpoint_id IS NOT DISTINCT FROM $4
    AND rules IS NOT DISTINCT FROM $5 AND services IS NOT DISTINCT FROM $6
    AND channels IS NOT DISTINCT FROM $7 AND types IS NOT DISTINCT FROM $8

-- name: live_from
-- With what is past ($1), the first entry that the router has not read yet; else, and without a router, the log's end.
SELECT greatest(
    coalesce((SELECT next_index FROM delivery.position WHERE part = 'router'), size), CASE WHEN NOT $1 THEN size END
) FROM log.state

-- name: lock_routing
-- The router holds this lock (shared) in each of its rounds: no round is under way while a subscription is added.
SELECT pg_advisory_xact_lock(7370019)

-- name: add_subscription
INSERT INTO delivery.subscription (
    agency, team, route, endpoint_id, rules, services, channels, types, from_index, backfill_next, backfill_to
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING *

-- name: seal_subscription
UPDATE delivery.subscription SET seal = $2 WHERE subscription_id = $1

-- name: subscriptions
SELECT
    subscription_id, agency, team, route, endpoint_id, rules, services, channels, types, from_index, backfill_next,
    backfill_to, created_at, ended_at
FROM delivery.subscription
WHERE ($1::text IS NULL OR agency = $1) AND ($2::text IS NULL OR team = $2) AND ($3 OR ended_at IS NULL)
    AND subscription_id > $4
ORDER BY subscription_id LIMIT $5

-- name: subscription
SELECT agency, team, ended_at FROM delivery.subscription
WHERE subscription_id = $1 AND ($2::text IS NULL OR agency = $2)

-- name: end_subscriptions
-- Those of a team, or one ($3).
UPDATE delivery.subscription SET ended_at = clock_timestamp()
WHERE agency = $1 AND team = $2 AND ended_at IS NULL AND ($3::bigint IS NULL OR subscription_id = $3) RETURNING *

-- name: sealed_rows_of_teams
-- Every team with its addresses, to be compared and sealed; the other tables below.
SELECT t.agency, t.team, t.name, t.language, t.closed_at, t.seal,
    array(SELECT c.address FROM delivery.contact c
          WHERE (c.agency, c.team) = (t.agency, t.team) ORDER BY c.rank) AS contacts
FROM delivery.team t ORDER BY t.agency, t.team

-- name: sealed_rows_of_endpoints
SELECT endpoint_id, agency, team, url, seal FROM delivery.endpoint ORDER BY endpoint_id

-- name: sealed_rows_of_subscriptions
SELECT * FROM delivery.subscription ORDER BY subscription_id

-- name: seal_endpoint
UPDATE delivery.endpoint SET seal = $2 WHERE endpoint_id = $1

-- name: wait_for_writers
-- Until the end of the transaction.
SELECT pg_advisory_xact_lock(7370056)

-- name: one_rotation
-- Until the session ends.
SELECT pg_advisory_lock(7370057)

-- name: add_expectation
INSERT INTO delivery.expectation (agency, type, subject, every_days, by_day) VALUES ($1, $2, $3, $4, $5)
RETURNING expectation_id

-- name: same_expectation
-- And how many the agency has.
SELECT count(*) AS number, max(expectation_id) FILTER (
    WHERE type = $2 AND subject IS NOT DISTINCT FROM $3 AND every_days IS NOT DISTINCT FROM $4 AND by_day IS NOT DISTINCT FROM $5
) AS same
FROM delivery.expectation WHERE agency = $1 AND ended_at IS NULL

-- name: end_expectation
UPDATE delivery.expectation SET ended_at = coalesce(ended_at, clock_timestamp()) WHERE expectation_id = $1

-- name: expectation_agency
SELECT agency FROM delivery.expectation WHERE expectation_id = $1 AND ($2::text IS NULL OR agency = $2)

-- name: role
SELECT role FROM platform.agency WHERE code = $1

-- name: is_table
SELECT to_regclass($1) IS NOT NULL

-- name: owner_of_partnership
SELECT owner FROM revenue.contract WHERE partnership_id = $1

-- name: owner_of_project
SELECT owner FROM projections.project WHERE project_id = $1

-- name: owner_of_service
SELECT owner FROM projections.service WHERE service_id = $1
