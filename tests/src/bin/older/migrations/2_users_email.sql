-- UP
ALTER TABLE users ADD email text;
-- DOWN
ALTER TABLE users DROP email;
