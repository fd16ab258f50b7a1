-- Migration: 20250130_100000_drop_users_email_index
-- Description: drop the email index, built again concurrently by the next migration

-- UP
DROP INDEX IF EXISTS idx_users_email;

-- DOWN
CREATE INDEX idx_users_email ON users(email);
