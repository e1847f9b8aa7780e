-- Whose webhook an attempt was made to: the newest ones of a webhook are found without a look at all others. NULL for an
-- e-mail. `0046` gives it to the attempts that are there.
ALTER TABLE delivery.attempt ADD COLUMN endpoint_id text;
