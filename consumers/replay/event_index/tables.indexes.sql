-- How events are found. A new index is built beside the live rows; one that changes gets another name. They hold hashes of
-- the texts, a third of the size: a query compares the texts too. By id the registrar's `log.event_id` finds them.

CREATE INDEX CONCURRENTLY IF NOT EXISTS event_of_subject ON event (hashtextextended(subject, 0), index);
-- By type and agency, or by one of them: the log has few pairs, whose entries are merged.
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_of_type_and_agency ON event (hashtext(type), hashtext(agency), index);
-- The refusals of an agency's records, by its topic, which is the second part of their subject.
CREATE INDEX CONCURRENTLY IF NOT EXISTS event_of_refused_topic ON event (split_part(subject, '/', 2), index)
    WHERE type = 'sa.gov.yesser.registrar.refused.v1';
