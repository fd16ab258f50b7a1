-- Migration: 000_migrations_ledger
-- Purpose: Migration tracking ledger (foundation)
-- Notes: Every later migration records itself in this table

BEGIN;

CREATE TABLE IF NOT EXISTS schema_migrations (
    id TEXT PRIMARY KEY,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

COMMENT ON TABLE schema_migrations IS 'Applied migrations; one row a file of scripts/migrations';

COMMIT;

-- Verification queries
SELECT id, applied_at FROM schema_migrations ORDER BY id;

-- Record migration
INSERT INTO schema_migrations (id)
VALUES ('000_migrations_ledger')
ON CONFLICT (id) DO NOTHING;
