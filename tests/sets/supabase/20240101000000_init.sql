CREATE TABLE users(id serial, name text);

-- The first one.
INSERT INTO users(name) VALUES ($$a;b$$);
