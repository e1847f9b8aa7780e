-- name: shown
-- The plan that is shown, with its targets of now.
SELECT s.plan_id, s.targets, p.name, p.starts_on, p.ends_on FROM shown_plan s JOIN plan p USING (plan_id)

-- name: infrastructure
-- Completed = every phase is completed now.
SELECT count(*) AS registered,
       count(*) FILTER (WHERE completed = phases) AS completed,
       count(*) FILTER (WHERE cancelled) AS cancelled
FROM project WHERE kind = 'infrastructure' AND plan_id = $1

-- name: applications
SELECT project_id, owner AS agency, phases, started, completed, cancelled
FROM project WHERE kind = 'national-application' AND plan_id = $1 ORDER BY project_id

-- name: groups
SELECT group_number, registered, launched, live, suspended, retired FROM service_group WHERE plan_id = $1

-- name: training
-- One row per quota; certificates are counted whether the quota was set before or after them.
SELECT q.calendar, q.year, q.track, q.seats AS quota,
       coalesce(c.certified, 0) AS certified,
       coalesce(c.revoked, 0) AS revoked,
       coalesce(c.certified - c.revoked, 0) AS net
FROM quota q LEFT JOIN training_count c USING (calendar, year, track)
ORDER BY calendar, year, track

-- name: launched_services
SELECT count(*) FROM service WHERE launched_index IS NOT NULL

-- name: refusals
SELECT coalesce(sum(count), 0)::bigint FROM refusals

-- name: anomalies_count
-- Every judging consumer has such a table.
SELECT count(*) FROM anomaly

-- name: anomalies
SELECT index, found_index, rule, type, subject, agency, claimed, known FROM anomaly

-- name: history
SELECT index, found_index, type, agency, happened_on, phase, data
FROM history WHERE subject = $1 ORDER BY found_index, index

-- name: activity
SELECT agency, type, count, first_index, last_index FROM activity ORDER BY agency, type

-- name: refusals_by_agency
SELECT agency, count, first_index, last_index FROM refusals ORDER BY agency
