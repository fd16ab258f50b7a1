-- Migration: 20250130_153000_create_users_roles_table
-- Description: create users_roles table

-- UP
CREATE TABLE users_roles (
    id SERIAL PRIMARY KEY,
    name VARCHAR(50) UNIQUE NOT NULL
);

INSERT INTO users_roles (name) VALUES ('admin'), ('editor'), ('reader');

ALTER TABLE users ADD COLUMN role_id INTEGER REFERENCES users_roles(id);

-- DOWN
ALTER TABLE users DROP COLUMN role_id;
DROP TABLE IF EXISTS users_roles CASCADE;
