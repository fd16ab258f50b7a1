-- Migration: 20250129_110000_add_user_full_name
-- Description: add user full name

-- UP
-- 1. Add new column (nullable first)
ALTER TABLE users ADD COLUMN full_name VARCHAR(500);

-- 2. Migrate data
UPDATE users SET full_name = CONCAT(first_name, ' ', last_name);

-- 3. Make it NOT NULL
ALTER TABLE users ALTER COLUMN full_name SET NOT NULL;

-- DOWN
ALTER TABLE users DROP COLUMN full_name;
