-- What is past its retention is found without reading the rest: messages by when they ended.
CREATE INDEX message_ended ON delivery.message (ended_at) WHERE ended_at IS NOT NULL;
-- A breaker also counts the bytes of refused records.
ALTER TABLE log.read_position ALTER COLUMN breaker_levels SET DEFAULT '{0,0,0,0}';
UPDATE log.read_position SET breaker_levels = breaker_levels || 0::bigint;
