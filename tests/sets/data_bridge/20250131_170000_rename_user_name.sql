-- Migration: 20250131_170000_rename_user_name
-- Description: rename user name to username

-- UP
ALTER TABLE users RENAME COLUMN name TO username;

-- DOWN
ALTER TABLE users RENAME COLUMN username TO name;
