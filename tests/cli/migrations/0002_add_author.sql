-- UP
ALTER TABLE notes ADD COLUMN author text;

-- DOWN
ALTER TABLE notes DROP COLUMN author;
