-- Good: Single responsibility
-- 004_add_user_status.sql
ALTER TABLE {{tables.users}} ADD COLUMN status VARCHAR(20) DEFAULT 'active';
