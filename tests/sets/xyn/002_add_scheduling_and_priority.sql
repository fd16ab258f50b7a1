-- Migration: 002_add_scheduling_and_priority
-- Purpose: Phase 1: Scheduled + Priority Queues
-- Notes: A run is claimed at run_at or later, lowest priority number first

BEGIN;

ALTER TABLE runs ADD COLUMN IF NOT EXISTS run_at TIMESTAMPTZ NOT NULL DEFAULT NOW();
ALTER TABLE runs ADD COLUMN IF NOT EXISTS priority INTEGER NOT NULL DEFAULT 100;
ALTER TABLE runs ADD COLUMN IF NOT EXISTS attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN IF NOT EXISTS max_attempts INTEGER NOT NULL DEFAULT 3;
ALTER TABLE runs ADD COLUMN IF NOT EXISTS locked_by TEXT;
ALTER TABLE runs ADD COLUMN IF NOT EXISTS lease_expires_at TIMESTAMPTZ;

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_constraint WHERE conname = 'ck_runs_priority_range'
    ) THEN
        ALTER TABLE runs
            ADD CONSTRAINT ck_runs_priority_range CHECK (priority BETWEEN 0 AND 1000);
    END IF;
END
$$;

COMMIT;

-- Verification queries
SELECT column_name, data_type, column_default
FROM information_schema.columns
WHERE table_name = 'runs' AND column_name IN ('run_at', 'priority', 'attempt', 'max_attempts')
ORDER BY column_name;

-- Record migration
INSERT INTO schema_migrations (id)
VALUES ('002_add_scheduling_and_priority')
ON CONFLICT (id) DO NOTHING;
