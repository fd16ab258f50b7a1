-- migrations/20240127093015_add_users.sql
-- Description: Add the names of users and the first user

-- Good: Idempotent
CREATE INDEX IF NOT EXISTS idx_users_email ON users(email);

ALTER TABLE users ADD COLUMN IF NOT EXISTS first_name VARCHAR(100);
ALTER TABLE users ADD COLUMN IF NOT EXISTS last_name VARCHAR(100);

INSERT INTO users (email, first_name, last_name)
VALUES ('admin@example.com', 'Ada', 'Admin')
ON CONFLICT (email) DO NOTHING;
