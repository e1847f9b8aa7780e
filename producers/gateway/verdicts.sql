-- name: by_offsets
-- The verdicts on the records at these offsets of one topic. Below its position, a record without a row was lost.
SELECT o."offset", p.next_offset, p.halted_reason, d.of_index, f.errors,
       CASE WHEN o."offset" < r.first_offset + r.entries_count THEN r.first_index + o."offset" - r.first_offset END AS index
FROM unnest($2::bigint[]) AS o("offset")
LEFT JOIN log.read_position p ON p.topic = $1
LEFT JOIN LATERAL (
    SELECT first_offset, first_index, entries_count FROM log.run
    WHERE topic = $1 AND first_offset <= o."offset" ORDER BY first_offset DESC LIMIT 1
) r ON true
LEFT JOIN log.duplicate d ON d.topic = $1 AND d."offset" = o."offset"
LEFT JOIN log.refusal f ON f.index = r.first_index + o."offset" - r.first_offset
                       AND o."offset" < r.first_offset + r.entries_count
ORDER BY 1

-- name: accepted
-- The entry of the event with this source and id.
SELECT index FROM log.event_id WHERE claim = $1

-- name: refused
-- The last refusal of a record of this agency with this claimed id.
SELECT index, errors FROM log.refusal WHERE agency = $1 AND claimed_id = $2 ORDER BY index DESC LIMIT 1

-- name: applied_up_to
-- How many entries all figures that find anomalies contain; NULL before each of them has its tables.
SELECT CASE WHEN count(*) = 3 THEN min(position) END FROM platform.position
WHERE consumer IN ('projections', 'campaigns', 'revenue')

-- name: anomalies
SELECT rule FROM projections.anomaly WHERE index = $1 UNION SELECT rule FROM campaigns.anomaly WHERE index = $1
UNION SELECT rule FROM revenue.anomaly WHERE index = $1 ORDER BY rule

-- name: sequences
-- Numbers seen of a source, whatever their verdict, the holes below the highest, and numbers accepted twice. Of a month
-- ($2) only the numbers from `first` to `last`: those above the highest read before it, up to the highest read in it.
-- `has_numbers`: whether any was read in the month, be it an earlier one's.
SELECT s.seen * span AS seen, span - s.seen AS missing, s.repeated * span AS repeated,
       coalesce(s.highest, kept.last) AS highest, s.overflowed_index, months.first, months.last,
       months.has_numbers
FROM log.sequence_state s
CROSS JOIN LATERAL (SELECT ceil(upper(s.seen)) - 1 AS last) AS kept
CROSS JOIN LATERAL (
    SELECT coalesce(max(m.highest) FILTER (WHERE m.month < $2), 0) + 1 AS first, max(m.highest) AS last,
           bool_or(m.month = $2) AS has_numbers
    FROM log.sequence_month m WHERE m.agency = s.agency AND m.month <= $2
) AS months
CROSS JOIN LATERAL (
    SELECT nummultirange(CASE
        WHEN $2::text IS NULL THEN numrange(1, kept.last + 1)
        WHEN months.first <= months.last AND months.first <= kept.last
            THEN numrange(months.first, least(months.last, kept.last) + 1)
        ELSE 'empty' END) AS span
) AS spans
WHERE s.agency = $1 AND NOT isempty(s.seen)
