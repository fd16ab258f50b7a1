-- Good: Add nullable column
ALTER TABLE users ADD COLUMN phone VARCHAR(20);
