-- name: shown
-- The shown plan with its current targets.
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
-- Every consumer that detects anomalies has such a table.
SELECT coalesce(sum(count), 0)::bigint FROM anomaly_count

-- name: anomalies
-- After a position in the list ($1, $2).
SELECT index, found_index, rule, type, subject, agency, log.shown_members(claimed) AS claimed, known FROM anomaly
WHERE (found_index, index) > ($1::bigint, $2::bigint)
ORDER BY found_index, index LIMIT $3

-- name: anomalies_of_agency
SELECT index, found_index, rule, type, subject, agency, log.shown_members(claimed) AS claimed, known FROM anomaly
WHERE agency = $4 AND (found_index + 0, index) > ($1::bigint, $2::bigint)
ORDER BY found_index + 0, index LIMIT $3

-- name: anomalies_of_subjects
-- About some subjects ($4) without some rules ($5), each from its index; of an agency ($6), if given.
SELECT a.* FROM unnest($4::text[]) AS s (subject)
CROSS JOIN LATERAL (
    SELECT index, found_index, rule, type, subject, agency, log.shown_members(claimed) AS claimed, known FROM anomaly
    WHERE subject = s.subject AND (found_index + 0, index) > ($1::bigint, $2::bigint) AND rule <> ALL ($5::text[])
      AND ($6::text IS NULL OR agency = $6)
    ORDER BY found_index + 0, index LIMIT $3
) AS a
ORDER BY found_index, index LIMIT $3

-- name: anomalies_of_entry
-- What one entry ($1) met: after a position, of an agency, about some subjects without some rules.
SELECT index, found_index, rule, type, subject, agency, log.shown_members(claimed) AS claimed, known FROM anomaly
WHERE index = $1 AND (found_index, index) > ($2::bigint, $3::bigint) AND ($4::text IS NULL OR agency = $4)
  AND ($5::text[] IS NULL OR subject = ANY($5)) AND rule <> ALL($6::text[])

-- name: services
-- The directory after $1, or $3 alone; those of an agency, a group and a state, if given.
SELECT service_id, plan_id, group_number AS "group", name, owner AS agency, state, launched_on, channels, url,
       first_index, last_index
FROM service
WHERE service_id > $1
  AND ($3::text IS NULL OR service_id = $3)
  AND ($4::text IS NULL OR owner = $4)
  AND ($5::bigint IS NULL OR group_number = $5)
  AND ($6::text IS NULL OR state = $6)
ORDER BY service_id LIMIT $2

-- name: projects
-- All after $1, or $3 alone; `started` includes the completed phases.
SELECT project_id, plan_id, kind, name, owner AS agency, state, phases, started, completed, cancelled_on,
       first_index, last_index
FROM project WHERE project_id > $1 AND ($3::text IS NULL OR project_id = $3) ORDER BY project_id LIMIT $2

-- name: phase_names
SELECT phase_names FROM project WHERE project_id = $1

-- name: history
SELECT index, found_index, type, agency, happened_on, phase, log.shown_members(data) AS data
FROM history WHERE subject = $1 ORDER BY found_index, index

-- name: active_agencies
-- Agencies with an accepted or refused record, after $1; $2 alone if it is given.
SELECT agency FROM (SELECT agency FROM activity UNION SELECT agency FROM refusals) AS known
WHERE agency > $1 AND ($2::text IS NULL OR agency = $2) ORDER BY agency LIMIT $3

-- name: activity
SELECT agency, type, count, first_index, last_index FROM activity WHERE agency = ANY($1::text[]) ORDER BY agency, type

-- name: refusals_by_agency
SELECT agency, count, first_index, last_index FROM refusals WHERE agency = ANY($1::text[])
