-- Views of the past and checks are made in temporary tables, which end with their session: no reader makes schemas any more.
DO $$ BEGIN
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM yesser_reader, yesser_auditor', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO yesser_reader, yesser_auditor', current_database());
END $$;
