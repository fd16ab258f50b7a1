-- Good: Add nullable column
ALTER TABLE {{tables.users}} ADD COLUMN phone VARCHAR(20);
