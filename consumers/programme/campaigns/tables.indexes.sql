-- How campaigns are found. A new index is built beside the live rows; one that changes gets another name.
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_due_on_campaign_id_idx ON campaign (due_on, campaign_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_triggered_index_idx ON campaign (triggered_index) WHERE kind = 'general';
CREATE INDEX CONCURRENTLY IF NOT EXISTS campaign_owner_due_on_campaign_id_idx ON campaign (owner, due_on, campaign_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS route_owner_index_idx ON route (owner, index);
-- What took effect for one campaign, the newest first. `+ 0`: the primary key has the order of the index too.
CREATE INDEX CONCURRENTLY IF NOT EXISTS route_of_campaign ON route (campaign_id, (index + 0));
