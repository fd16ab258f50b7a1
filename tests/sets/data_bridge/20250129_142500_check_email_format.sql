-- Migration: 20250129_142500_check_email_format
-- Description: check email format

-- UP
ALTER TABLE users
    ADD CONSTRAINT check_email_format
    CHECK (email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}$');

-- DOWN
ALTER TABLE users DROP CONSTRAINT check_email_format;
