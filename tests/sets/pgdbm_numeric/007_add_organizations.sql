-- migrations/007_add_organizations.sql
-- Description: Add organizations, in the old style and in the preferred one

-- Old style (avoid in new code)
CREATE TABLE IF NOT EXISTS {{schema}}.organizations (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL
);

-- Preferred style
CREATE TABLE IF NOT EXISTS {{tables.organizations}} (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL
);
