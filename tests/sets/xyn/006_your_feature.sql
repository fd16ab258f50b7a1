-- Migration: 006_your_feature
-- Purpose: Labels on runs
-- Notes: Searched by key and value, kept when a run is retried

BEGIN;

-- DDL changes here (idempotent)
CREATE TABLE IF NOT EXISTS run_labels (
    run_id UUID NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
);
ALTER TABLE runs ADD COLUMN IF NOT EXISTS labelled_at TIMESTAMPTZ;

COMMIT;

-- Verification queries
SELECT COUNT(*) AS labels FROM run_labels;

-- Record migration
INSERT INTO schema_migrations (id)
VALUES ('006_your_feature')
ON CONFLICT (id) DO NOTHING;
