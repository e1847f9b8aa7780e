-- name: plan
-- The plan that was shown after $1 entries. Its name and dates never change.
SELECT plan_id, name, starts_on, ends_on, first_index FROM plan WHERE first_index < $1 ORDER BY first_index DESC LIMIT 1

-- name: latest_step
-- The latest date of a step that had taken effect after $1 entries.
SELECT max(happened_on) FROM history WHERE found_index < $1

-- name: agencies
-- Services launched, and phases completed of projects that are not cancelled, by owner, of plan $2 after $1 entries.
-- Facts that waited took effect at the index of the registration, after it.
-- Only the last completed phase can be reopened, so a difference counts the phases that are complete.
SELECT owner AS agency,
       count(*) FILTER (WHERE is_service) AS services,
       count(*) FILTER (WHERE launched) AS launched,
       coalesce(sum(phases) FILTER (WHERE NOT cancelled), 0)::bigint AS phases,
       coalesce(sum(completed) FILTER (WHERE NOT cancelled), 0)::bigint AS completed
FROM (
    SELECT (array_agg(CASE WHEN type LIKE '%.reassigned' THEN data ->> 'to' ELSE agency END
                      ORDER BY found_index DESC, type LIKE '%.registered', index DESC)
            FILTER (WHERE type LIKE '%.registered' OR type LIKE '%.reassigned'))[1] AS owner,
           bool_or(type = 'service.registered') AS is_service,
           bool_or(type = 'service.launched') AS launched,
           bool_or(type = 'project.cancelled') AS cancelled,
           coalesce(max(jsonb_array_length(data -> 'phases')) FILTER (WHERE type = 'project.registered'), 0) AS phases,
           count(*) FILTER (WHERE type = 'project.phase-completed')
               - count(*) FILTER (WHERE type = 'project.phase-reopened') AS completed
    FROM history WHERE found_index < $1
    GROUP BY subject
    HAVING bool_or(type LIKE '%.registered' AND data ->> 'plan_id' = $2)
) AS followed
GROUP BY owner ORDER BY owner COLLATE "C"

-- name: launches
-- Services of plan $2 that were launched after $1 entries, by the month of their launch.
SELECT left(l.happened_on, 7) AS month, count(*) AS launched
FROM history l JOIN history r ON r.subject = l.subject AND r.type = 'service.registered'
WHERE l.type = 'service.launched' AND l.found_index < $1 AND r.data ->> 'plan_id' = $2
GROUP BY month ORDER BY month
