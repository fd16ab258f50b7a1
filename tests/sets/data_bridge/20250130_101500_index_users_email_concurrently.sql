-- migrate:no-transaction
-- Migration: 20250130_101500_index_users_email_concurrently
-- Description: index users email concurrently

-- UP
CREATE INDEX CONCURRENTLY idx_users_email ON users(email);

-- DOWN
DROP INDEX CONCURRENTLY IF EXISTS idx_users_email;
