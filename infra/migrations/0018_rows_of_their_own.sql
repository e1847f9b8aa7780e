-- A lease and a position are changed by the process that they belong to; every process may read them. The name of a row
-- is that of a role: `consumer.event-index` belongs to `yesser_event_index`, and to the owner of its read models while
-- they are built again.
CREATE FUNCTION platform.is_own(name text) RETURNS boolean LANGUAGE sql STABLE
RETURN current_user IN (
    'yesser_' || replace(replace(name, 'consumer.', ''), '-', '_'),
    'yesser_' || replace(replace(name, 'consumer.', ''), '-', '_') || '_owner'
);

ALTER TABLE platform.lease ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON platform.lease FOR SELECT USING (true);
CREATE POLICY add ON platform.lease FOR INSERT WITH CHECK (platform.is_own(name));
CREATE POLICY change ON platform.lease FOR UPDATE USING (platform.is_own(name));

ALTER TABLE platform.position ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON platform.position FOR SELECT USING (true);
CREATE POLICY add ON platform.position FOR INSERT WITH CHECK (platform.is_own(consumer));
CREATE POLICY change ON platform.position FOR UPDATE USING (platform.is_own(consumer));
