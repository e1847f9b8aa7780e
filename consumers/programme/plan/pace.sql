-- name: plan
-- The plan that was shown after $1 entries. Its name and dates never change.
SELECT plan_id, name, starts_on, ends_on, first_index FROM plan WHERE first_index < $1 ORDER BY first_index DESC LIMIT 1

-- name: latest_step
-- The latest date of a step that had taken effect after $1 entries.
SELECT max(happened_on) FROM history WHERE found_index < $1

-- name: agencies
-- Services launched, and phases completed, by owner, of plan $2 after $1 entries. What can no longer be done is left
-- out: projects that are cancelled, and services that were retired before they were launched.
-- Rows that have not changed since are read as they are, the others from their history.
-- Facts that waited took effect at the index of the registration, after it.
-- Only the last completed phase can be reopened, so a difference counts the phases that are complete.
SELECT owner AS agency,
       count(*) FILTER (WHERE is_service AND NOT dropped) AS services,
       count(*) FILTER (WHERE launched) AS launched,
       coalesce(sum(phases) FILTER (WHERE NOT dropped), 0)::bigint AS phases,
       coalesce(sum(completed) FILTER (WHERE NOT dropped), 0)::bigint AS completed
FROM (
    SELECT owner, true AS is_service, launched_index IS NOT NULL AS launched,
           retired AND launched_index IS NULL AS dropped, 0::bigint AS phases, 0::bigint AS completed
    FROM service WHERE plan_id = $2 AND last_index < $1
    UNION ALL
    SELECT owner, false, false, cancelled, phases, completed FROM project WHERE plan_id = $2 AND last_index < $1
    UNION ALL
    SELECT (array_agg(CASE WHEN type LIKE '%.reassigned' THEN data ->> 'to' ELSE agency END
                      ORDER BY found_index DESC, type LIKE '%.registered', index DESC)
            FILTER (WHERE type LIKE '%.registered' OR type LIKE '%.reassigned'))[1],
           bool_or(type = 'service.registered'),
           bool_or(type = 'service.launched'),
           bool_or(type = 'project.cancelled')
               OR bool_or(type = 'service.retired') AND NOT bool_or(type = 'service.launched'),
           coalesce(max(jsonb_array_length(data -> 'phases')) FILTER (WHERE type = 'project.registered'), 0),
           count(*) FILTER (WHERE type = 'project.phase-completed')
               - count(*) FILTER (WHERE type = 'project.phase-reopened')
    FROM (SELECT 'service/' || service_id AS subject FROM service WHERE plan_id = $2 AND last_index >= $1
          UNION ALL
          SELECT 'project/' || project_id FROM project WHERE plan_id = $2 AND last_index >= $1) AS changed
    JOIN history USING (subject)
    WHERE found_index < $1
    GROUP BY subject
) AS followed
GROUP BY owner ORDER BY owner COLLATE "C"

-- name: launches
-- Services of plan $2 that were launched after $1 entries, by the month of their launch.
SELECT left(launched_on, 7) AS month, count(*) AS launched
FROM (
    SELECT launched_on FROM service WHERE plan_id = $2 AND launched_index IS NOT NULL AND last_index < $1
    UNION ALL
    SELECT h.happened_on
    FROM service s JOIN history h ON h.subject = 'service/' || s.service_id AND h.type = 'service.launched'
    WHERE s.plan_id = $2 AND s.launched_index IS NOT NULL AND s.last_index >= $1 AND h.found_index < $1
) AS launch
GROUP BY month ORDER BY month
