-- Migration: 20250128_153000_add_user_profile_fields
-- Description: add user profile fields

-- UP
ALTER TABLE users
    ADD COLUMN phone VARCHAR(20),
    ADD COLUMN verified BOOLEAN DEFAULT false;
ALTER TABLE users
    ADD COLUMN first_name VARCHAR(100),
    ADD COLUMN last_name VARCHAR(100);
ALTER TABLE users ADD COLUMN last_login TIMESTAMPTZ;

-- DOWN
ALTER TABLE users DROP COLUMN last_login;
ALTER TABLE users
    DROP COLUMN first_name,
    DROP COLUMN last_name;
ALTER TABLE users
    DROP COLUMN phone,
    DROP COLUMN verified;
