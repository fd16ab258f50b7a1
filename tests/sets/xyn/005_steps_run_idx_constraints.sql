-- Migration: 005_steps_run_idx_constraints
-- Purpose: Production: Step ordering constraints
-- Notes: Guarded blocks, ADD CONSTRAINT has no IF NOT EXISTS

BEGIN;

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_constraint WHERE conname = 'uq_steps_run_id_idx'
    ) THEN
        ALTER TABLE steps ADD CONSTRAINT uq_steps_run_id_idx UNIQUE (run_id, idx);
    END IF;

    IF NOT EXISTS (
        SELECT 1 FROM pg_constraint WHERE conname = 'ck_steps_idx_nonnegative'
    ) THEN
        ALTER TABLE steps ADD CONSTRAINT ck_steps_idx_nonnegative CHECK (idx >= 0);
    END IF;
END
$$;

COMMIT;

-- Verification queries
SELECT conname, contype
FROM pg_constraint
WHERE conrelid = 'steps'::regclass
ORDER BY conname;

-- Record migration
INSERT INTO schema_migrations (id)
VALUES ('005_steps_run_idx_constraints')
ON CONFLICT (id) DO NOTHING;
