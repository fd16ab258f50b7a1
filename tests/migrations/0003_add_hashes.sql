-- migrate:function

-- UP
ALTER TABLE users ADD COLUMN hash text;

-- DOWN
ALTER TABLE users DROP COLUMN hash;
