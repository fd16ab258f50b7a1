-- migrations/002_add_users_table.sql
-- Description: Add the users and sessions tables

-- In your migration file:
CREATE TABLE IF NOT EXISTS {{tables.users}} (
    id SERIAL PRIMARY KEY,
    email VARCHAR(255) UNIQUE NOT NULL
);

-- At runtime, this becomes:
-- Standalone mode: CREATE TABLE IF NOT EXISTS users (...)
-- With schema "myapp": CREATE TABLE IF NOT EXISTS myapp.users (...)

ALTER TABLE {{tables.users}} ADD COLUMN created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP;

CREATE TABLE IF NOT EXISTS {{tables.sessions}} (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id INTEGER REFERENCES {{tables.users}}(id) ON DELETE CASCADE,
    expires_at TIMESTAMP NOT NULL
);
