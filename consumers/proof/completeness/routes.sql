-- name: months
-- The newest first.
SELECT DISTINCT month FROM log.sequence_month ORDER BY month DESC

-- name: agencies
-- Each agency's own numbers of a month ($1), and how many of them were never read; agencies after $3, or $2 alone.
SELECT a.code AS agency, m.first, m.last, s.overflowed_index,
       (SELECT sum(upper(gap) - lower(gap))
        FROM unnest(nummultirange(numrange(m.first, m.last + 1)) - s.seen) AS gap
        WHERE m.first <= m.last) AS missing_count
FROM platform.agency a
LEFT JOIN log.sequence_state s ON s.agency = a.code
LEFT JOIN LATERAL (
    SELECT least(f.before + 1, f.last + 1) AS first, f.last
    FROM (
        SELECT coalesce(max(highest) FILTER (WHERE month < $1), 0) AS before,
               max(highest) FILTER (WHERE month = $1) AS last
        FROM log.sequence_month WHERE agency = a.code
    ) AS f
) AS m ON true
WHERE a.code > $3 AND ($2::text IS NULL OR a.code = $2) AND a.code <> 'platform'
ORDER BY a.code LIMIT $4
