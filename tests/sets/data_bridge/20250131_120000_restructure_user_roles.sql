-- Migration: 20250131_120000_restructure_user_roles
-- Description: Migrate from role_id to role_name for better flexibility
--
-- IMPORTANT: This migration will:
-- 1. Create new role_name column
-- 2. Migrate data from users_roles table
-- 3. Drop old role_id column
--
-- Rollback will restore role_id from role_name mapping

-- UP
ALTER TABLE users ADD COLUMN role_name VARCHAR(50);

UPDATE users SET role_name = (
    SELECT r.name FROM users_roles r WHERE r.id = users.role_id
);

ALTER TABLE users DROP COLUMN role_id;

-- DOWN
ALTER TABLE users ADD COLUMN role_id INTEGER REFERENCES users_roles(id);

UPDATE users SET role_id = (
    SELECT r.id FROM users_roles r WHERE r.name = users.role_name
);

ALTER TABLE users DROP COLUMN role_name;
