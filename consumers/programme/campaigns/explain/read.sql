-- name: campaign
-- A campaign that a rule decided, in the log or not.
SELECT campaign_id, rule, cause_index, owner, service_id, due_on, first_index, triggered_index, acknowledged_index,
       acknowledged_by, acknowledged_at, completed_index, escalated, tv, radio, print
FROM campaign WHERE campaign_id = $1

-- name: campaigns_of_service
SELECT campaign_id FROM campaign WHERE service_id = $1 ORDER BY first_index, campaign_id

-- name: decided_campaign
SELECT rule, cause_index, part, rules_version, fired, campaign_id, reason FROM evaluation WHERE campaign_id = $1

-- name: decided_at
-- Evaluations at some entries, the last first.
SELECT rule, cause_index, part, rules_version, fired, campaign_id, reason FROM evaluation
WHERE cause_index = ANY($1) ORDER BY cause_index DESC, rule, part LIMIT $2

-- name: decided_of_part
-- Evaluations of the rules that have a figure, the last first.
SELECT rule, cause_index, part, rules_version, fired, campaign_id, reason FROM evaluation
WHERE part = $1 AND rule = ANY($2) ORDER BY cause_index DESC, rule LIMIT $3

-- name: decided_of_group
-- The same of a group, at entries at which its plan was the one that is shown: the last one adopted by then.
SELECT e.rule, e.cause_index, e.part, e.rules_version, e.fired, e.campaign_id, e.reason FROM evaluation e
WHERE e.part = $1 AND e.rule = ANY($2)
    AND (SELECT p.plan_id FROM plan p WHERE p.first_index <= e.cause_index ORDER BY p.first_index DESC LIMIT 1) = $4
ORDER BY e.cause_index DESC, e.rule LIMIT $3

-- name: runs
SELECT rule, part, why, first_index, last_index, count, figure, target FROM evaluation_run
WHERE part = $1 ORDER BY rule, first_index, why

-- name: once
SELECT campaign_id FROM once WHERE part = $1 ORDER BY rule

-- name: waiting
SELECT index, type, agency FROM waiting_fact WHERE subject = $1 ORDER BY ordinal LIMIT $2

-- name: quota
SELECT q.seats, coalesce(t.certified - t.revoked, 0) AS net
FROM quota q LEFT JOIN training_count t USING (calendar, year, track)
WHERE q.calendar = $1 AND q.year = $2 AND q.track = $3

-- name: group
-- The figure of a group and its target, if its plan is shown.
SELECT g.launched, (s.targets -> 'services' ->> g.group_number::text)::bigint AS target
FROM service_group g LEFT JOIN shown_plan s USING (plan_id)
WHERE g.plan_id = $1 AND g.group_number = $2

-- name: anomalies
-- The last first. None of them waited: each was found at its own index.
SELECT index, rule, agency FROM anomaly WHERE subject = $1 ORDER BY found_index + 0 DESC, index DESC LIMIT $2

-- name: folds_from
SELECT folds_from FROM platform.position WHERE consumer = $1
