-- Which rules and tables made the rows of a consumer: the hash beside the version's number (`rules_version`, which earlier
-- releases compare with their own). Rows without a hash are of a release that kept none: they are rebuilt.
-- `folds_from`: the live consumer applies the entries from this index on with this version. The rows are of this version
-- from the beginning, but what was decided on earlier entries was decided by an earlier version.
ALTER TABLE platform.position
    ADD COLUMN fold_sha256 text NOT NULL DEFAULT '',
    ADD COLUMN folds_from bigint NOT NULL DEFAULT 0;
