-- Each role puts into the outbox only what its process decides. The policies of the roles are made with their rights, from
-- one table (`infra/postgres/outbox.py`); here is what they compare. The column is what the bytes say: a role that may
-- insert one type cannot write another one into the bytes.
ALTER TABLE platform.outbox ADD COLUMN type text;
UPDATE platform.outbox
SET type = substring(convert_from(value, 'UTF8')::jsonb ->> 'type' FROM '^sa\.gov\.yesser\.(.+)\.v1$');
ALTER TABLE platform.outbox
    ALTER COLUMN type SET NOT NULL,
    ADD CONSTRAINT says_what_it_holds CHECK (
        convert_from(value, 'UTF8')::jsonb @> jsonb_build_object(
            'type', 'sa.gov.yesser.' || type || '.v1', 'id', event_id, 'subject', key,
            'source', 'urn:yesser:agency:platform'
        )
    ),
    ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON platform.outbox FOR SELECT USING (true);
CREATE POLICY sent ON platform.outbox FOR DELETE USING (true);
-- Which columns, the rights say: what a row says is changed by nobody.
CREATE POLICY held ON platform.outbox FOR UPDATE USING (true);
