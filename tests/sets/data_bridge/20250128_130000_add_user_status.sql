-- Migration: 20250128_130000_add_user_status
-- Description: add user status

-- UP
ALTER TABLE users
    ADD COLUMN status VARCHAR(20) NOT NULL DEFAULT 'active',
    ADD CONSTRAINT check_user_status CHECK (status IN ('active', 'suspended', 'deleted'));

CREATE INDEX idx_users_status ON users(status);

-- DOWN
DROP INDEX IF EXISTS idx_users_status;
ALTER TABLE users
    DROP CONSTRAINT check_user_status,
    DROP COLUMN status;
