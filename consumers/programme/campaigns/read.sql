-- name: awareness
-- Services ever launched, of any plan; a service is reached on a channel by an airing in a specific campaign of its own.
SELECT count(*) AS launched_services,
       count(*) FILTER (WHERE tv > 0) AS tv,
       count(*) FILTER (WHERE radio > 0) AS radio,
       count(*) FILTER (WHERE print > 0) AS print,
       count(*) FILTER (WHERE tv > 0 AND radio > 0 AND print > 0) AS on_all_three,
       (SELECT count(*) FROM campaign WHERE kind = 'general' AND triggered_index IS NOT NULL) AS general_campaigns,
       (SELECT coalesce(sum(reach), 0) FROM airing) AS reach
FROM coverage
WHERE launched_index IS NOT NULL

-- name: campaigns
-- Campaigns in the log that match (see filters.py), or $1 alone, after ($4, $5), in the order $3. The pause, the next
-- action and what is overdue on day $2 are derived, not stored.
SELECT *
FROM (
  SELECT *, CASE $3::text WHEN 'due' THEN due_on WHEN 'overdue' THEN CASE WHEN overdue THEN '0' ELSE '1' END || due_on
                    ELSE '' END AS sort_key
  FROM (
    SELECT c.*, p.paused, m.missing_channels, n.next_action,
           c.due_on < $2 AND coalesce(n.next_action IN ('acknowledge', 'air'), false) AS overdue,
           jsonb_build_object('tv', c.tv, 'radio', c.radio, 'print', c.print) AS aired,
           coalesce((SELECT sum(a.reach) FROM airing a WHERE a.campaign_id = c.campaign_id), 0) AS reach,
           CASE WHEN v.name IS NOT NULL
                THEN jsonb_build_object('service_id', v.service_id, 'name', v.name, 'url', v.url,
                                        'launched_on', v.launched_on, 'channels', v.channels) END AS service
    FROM campaign c LEFT JOIN coverage s USING (service_id) LEFT JOIN service v USING (service_id),
         LATERAL (SELECT c.state <> 'completed' AND s.suspended_from IS NOT NULL AS paused) AS p,
         LATERAL (SELECT c.channels - ARRAY[CASE WHEN c.tv > 0 THEN 'tv' END, CASE WHEN c.radio > 0 THEN 'radio' END,
                                            CASE WHEN c.print > 0 THEN 'print' END] AS missing_channels) AS m,
         LATERAL (SELECT CASE WHEN p.paused OR c.state = 'completed' THEN NULL
                              WHEN c.state = 'triggered' THEN 'acknowledge'
                              WHEN m.missing_channels = '[]' THEN 'complete'
                              ELSE 'air' END AS next_action) AS n
    WHERE c.triggered_index IS NOT NULL
  ) AS derived
) AS listed
WHERE (sort_key, campaign_id) > ($4::text, $5::text)
  AND ($1::text IS NULL OR campaign_id = $1)
  AND ($7::text IS NULL OR owner = $7)
  AND CASE $8::text WHEN 'open' THEN state <> 'completed' WHEN 'paused' THEN paused WHEN 'escalated' THEN escalated
                    WHEN 'overdue' THEN overdue ELSE $8 IS NULL OR state = $8 END
  AND ($9::boolean IS NULL OR overdue = $9)
  AND ($10::text IS NULL OR due_on < $10)
  AND ($11::text IS NULL OR service_id = $11)
  AND ($12::text IS NULL OR channels ? $12)
  AND ($13::text IS NULL OR rule = $13)
  AND ($14::jsonb IS NULL OR EXISTS (
      SELECT FROM jsonb_to_recordset($14) AS w (rules jsonb, services jsonb, channels jsonb)
      WHERE (w.rules IS NULL OR w.rules ? rule)
        AND (w.services IS NULL OR w.services ? service_id)
        AND (w.channels IS NULL
             OR EXISTS (SELECT FROM jsonb_array_elements_text(w.channels) AS c (name) WHERE listed.channels ? c.name))))
ORDER BY sort_key, campaign_id LIMIT $6

-- name: counts
-- The campaigns that match, by what their teams do next.
SELECT count(*) AS campaigns,
       count(*) FILTER (WHERE overdue) AS overdue,
       count(*) FILTER (WHERE paused) AS paused,
       count(*) FILTER (WHERE next_action = 'acknowledge') AS acknowledge,
       count(*) FILTER (WHERE next_action = 'air') AS air,
       count(*) FILTER (WHERE next_action = 'complete') AS complete,
       count(*) FILTER (WHERE state = 'completed') AS completed
FROM (:campaigns) AS matching

-- name: subscriptions
-- What a team wants; its agency is named, because two agencies may use one name.
SELECT rules, services, channels FROM delivery.subscription WHERE agency = $1 AND team = $2 AND ended_at IS NULL

-- name: team
SELECT name FROM delivery.team WHERE agency = $1 AND team = $2 AND closed_at IS NULL

-- name: took_effect
-- The newest entries about a campaign that took effect.
SELECT index FROM route WHERE campaign_id = $1 ORDER BY index + 0 DESC LIMIT $2

-- name: anomalies_of
-- The newest entries about a campaign that changed nothing. None of them waited: each was found at its own index.
SELECT index, rule FROM anomaly WHERE subject = $1 ORDER BY found_index + 0 DESC, index DESC LIMIT $2

-- name: airings
SELECT airing_id, index, channel, log.shown(outlet) AS outlet, aired_on, reach, corrected_index FROM airing
WHERE campaign_id = $1 ORDER BY index

-- name: launched
-- Services launched at or before $1 (a recorded time), not suspended.
SELECT service_id FROM coverage WHERE launched_recorded <= $1 AND suspended_from IS NULL ORDER BY service_id

-- name: first_airings
-- Of each service and channel, by its specific campaigns.
SELECT c.service_id, a.channel, min(a.index) AS first_index FROM airing a JOIN campaign c USING (campaign_id)
WHERE c.kind = 'specific' AND c.service_id IS NOT NULL
GROUP BY c.service_id, a.channel

-- name: unaired
-- Services launched at or before $1 (a recorded time), not suspended, that some channel has not aired.
SELECT service_id FROM coverage
WHERE launched_recorded <= $1 AND suspended_from IS NULL AND (tv = 0 OR radio = 0 OR print = 0)
ORDER BY service_id
