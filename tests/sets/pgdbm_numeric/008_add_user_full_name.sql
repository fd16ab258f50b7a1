-- migrations/008_add_user_full_name.sql
-- Description: Give every user a full name

ALTER TABLE {{tables.users}} ADD COLUMN first_name VARCHAR(100);
ALTER TABLE {{tables.users}} ADD COLUMN last_name VARCHAR(100);

-- Add new column
ALTER TABLE {{tables.users}} ADD COLUMN full_name VARCHAR(255);

-- Populate from existing data
UPDATE {{tables.users}}
SET full_name = CONCAT(first_name, ' ', last_name)
WHERE full_name IS NULL;

-- Only then make it required
ALTER TABLE {{tables.users}} ALTER COLUMN full_name SET NOT NULL;
