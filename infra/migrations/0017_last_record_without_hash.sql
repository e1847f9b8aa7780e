-- The last record read of a topic is recognised by its hash or, if it holds personal data, only by when Kafka stored it:
-- a hash of such a record would outlive the record.
ALTER TABLE log.read_position ADD COLUMN last_record_appended_ms bigint;

-- Hashes of such records that were kept until now: a refusal without a dead letter is one for personal data. The topic is
-- compared again from its next record on.
UPDATE log.read_position p SET last_record_sha256 = NULL
FROM log.refusal r
WHERE r.address = p.topic || '/0/' || (p.next_offset - 1)
  AND NOT EXISTS (SELECT FROM log.dead_letter d WHERE d.index = r.index);
