-- Migration: 003_add_run_edges_for_dag
-- Purpose: Phase 2: DAG execution (parent/child)
-- Notes: run_edges and runs.parent_run_id are not part of the 001 baseline

BEGIN;

ALTER TABLE runs ADD COLUMN IF NOT EXISTS parent_run_id UUID REFERENCES runs(id) ON DELETE SET NULL;

CREATE TABLE IF NOT EXISTS run_edges (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    parent_run_id UUID NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    child_run_id UUID NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    child_key TEXT NOT NULL,
    relation TEXT NOT NULL DEFAULT 'child',
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    CONSTRAINT ck_run_edges_no_self CHECK (parent_run_id <> child_run_id)
);

CREATE UNIQUE INDEX IF NOT EXISTS uq_run_edges_parent_key ON run_edges(parent_run_id, child_key);
CREATE INDEX IF NOT EXISTS idx_run_edges_child ON run_edges(child_run_id);
CREATE INDEX IF NOT EXISTS idx_runs_parent_run_id ON runs(parent_run_id);

COMMIT;

-- Verification queries
SELECT indexname FROM pg_indexes WHERE tablename = 'run_edges' ORDER BY indexname;

-- Record migration
INSERT INTO schema_migrations (id)
VALUES ('003_add_run_edges_for_dag')
ON CONFLICT (id) DO NOTHING;
