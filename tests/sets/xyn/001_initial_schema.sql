-- Migration: 001_initial_schema
-- Purpose: Baseline schema (retroactive)
-- Notes: Excludes run_edges and runs.parent_run_id (added in 003)

BEGIN;

CREATE TABLE IF NOT EXISTS blueprints (
    ref TEXT PRIMARY KEY,
    description TEXT,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

CREATE TABLE IF NOT EXISTS runs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT NOT NULL,
    blueprint_ref TEXT REFERENCES blueprints(ref),
    status TEXT NOT NULL DEFAULT 'created',
    actor TEXT NOT NULL DEFAULT 'system',
    correlation_id TEXT,
    inputs JSONB NOT NULL DEFAULT '{}'::jsonb,
    outputs JSONB,
    error JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    started_at TIMESTAMPTZ,
    completed_at TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS steps (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id UUID NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    idx INTEGER NOT NULL DEFAULT 0,
    kind TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'created',
    inputs JSONB NOT NULL DEFAULT '{}'::jsonb,
    outputs JSONB,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    completed_at TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_name TEXT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    run_id UUID REFERENCES runs(id) ON DELETE CASCADE,
    step_id UUID REFERENCES steps(id) ON DELETE CASCADE,
    data JSONB NOT NULL DEFAULT '{}'::jsonb
);

CREATE INDEX IF NOT EXISTS idx_runs_status ON runs(status);
CREATE INDEX IF NOT EXISTS idx_runs_correlation_id ON runs(correlation_id);
CREATE INDEX IF NOT EXISTS idx_steps_run_id ON steps(run_id);
CREATE INDEX IF NOT EXISTS idx_events_run_id ON events(run_id, occurred_at);

COMMIT;

-- Verification queries
SELECT table_name
FROM information_schema.tables
WHERE table_name IN ('blueprints', 'runs', 'steps', 'events')
ORDER BY table_name;

-- Record migration
INSERT INTO schema_migrations (id)
VALUES ('001_initial_schema')
ON CONFLICT (id) DO NOTHING;
