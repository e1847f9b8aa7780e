-- name: services
-- Services ever launched, of agency $1 if it is given, after $2; with $4 only those without an airing on some channel.
-- Airings are those of the service's specific campaigns.
SELECT v.service_id, v.name, v.owner AS agency, v.plan_id, v.group_number AS "group", v.launched_on, s.launched_index,
       s.tv, s.radio, s.print
FROM coverage s JOIN service v USING (service_id)
WHERE s.launched_index IS NOT NULL
  AND ($1::text IS NULL OR v.owner = $1)
  AND v.service_id > $2
  AND (NOT $4 OR s.tv = 0 OR s.radio = 0 OR s.print = 0)
ORDER BY v.service_id LIMIT $3

-- name: airings
-- Reach and first airing of services $1 on each channel.
SELECT c.service_id, a.channel, sum(a.reach) AS reach, min(a.aired_on) AS first_aired_on
FROM campaign c JOIN airing a USING (campaign_id)
WHERE c.kind = 'specific' AND c.service_id = ANY($1::text[])
GROUP BY c.service_id, a.channel

-- name: totals
-- Over the launched services of each agency, or of agency $1 alone; the row without an agency is the sum. The median is
-- that of the days from launch to the first airing on any channel, over the services that were aired.
SELECT v.owner AS agency,
       count(*) AS launched_services,
       count(*) FILTER (WHERE s.tv > 0) AS tv,
       count(*) FILTER (WHERE s.radio > 0) AS radio,
       count(*) FILTER (WHERE s.print > 0) AS print,
       count(*) FILTER (WHERE s.tv > 0 AND s.radio > 0 AND s.print > 0) AS on_all_three,
       count(*) FILTER (WHERE s.tv + s.radio + s.print = 0) AS silent,
       coalesce(sum(s.tv + s.radio + s.print), 0)::bigint AS airings,
       coalesce(sum(a.reach), 0) AS reach,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY a.first_aired_on::date - v.launched_on::date)
           AS median_days_to_first_airing
FROM coverage s JOIN service v USING (service_id)
LEFT JOIN (
    SELECT c.service_id, sum(b.reach) AS reach, min(b.aired_on) AS first_aired_on
    FROM campaign c JOIN airing b USING (campaign_id)
    WHERE c.kind = 'specific'
    GROUP BY c.service_id
) AS a USING (service_id)
WHERE s.launched_index IS NOT NULL AND ($1::text IS NULL OR v.owner = $1)
GROUP BY GROUPING SETS ((v.owner), ()) ORDER BY v.owner NULLS LAST
