-- migrations/001_initial_schema.sql
-- Description: Create initial schema and tables

-- Creating tables
CREATE TABLE IF NOT EXISTS {{tables.documents}} (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id TEXT NOT NULL
);

-- Foreign key references
CREATE TABLE IF NOT EXISTS {{tables.document_chunks}} (
    chunk_id UUID PRIMARY KEY,
    document_id UUID REFERENCES {{tables.documents}}(id) ON DELETE CASCADE
);
