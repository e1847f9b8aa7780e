-- Why the process of a lease halted, where nobody works under it: `yesser status` and `yesser wait` read it.
ALTER TABLE platform.lease ADD COLUMN halted_reason text;
