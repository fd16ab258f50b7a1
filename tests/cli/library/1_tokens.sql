-- UP
CREATE TABLE tokens (id int PRIMARY KEY);
-- DOWN
DROP TABLE tokens;
