-- The treasury reads the money of every partnership, and nothing else.
ALTER TABLE platform.token
    DROP CONSTRAINT token_kind_check,
    ADD CONSTRAINT token_kind_check CHECK (kind IN ('agency', 'office', 'partner', 'treasury', 'auditor'));
