-- migrations/003_add_indexes.sql
-- Description: Add indexes

-- Indexes
CREATE INDEX idx_documents_owner ON {{tables.documents}}(owner_id);

CREATE INDEX idx_sessions_user_id ON {{tables.sessions}}(user_id);
CREATE INDEX idx_sessions_expires ON {{tables.sessions}}(expires_at);

-- Good: Idempotent
CREATE INDEX IF NOT EXISTS idx_users_email ON {{tables.users}}(email);
