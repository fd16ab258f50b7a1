-- Migration: 004_add_queue_claim_indexes
-- Purpose: Production: Claim query optimization
-- Notes: Serves SELECT ... FOR UPDATE SKIP LOCKED of the workers

BEGIN;

CREATE INDEX IF NOT EXISTS idx_runs_claim
ON runs(priority, run_at, created_at)
WHERE status = 'queued';

CREATE INDEX IF NOT EXISTS idx_runs_lease
ON runs(lease_expires_at)
WHERE status = 'running';

COMMIT;

-- Verification queries
SELECT indexname, indexdef
FROM pg_indexes
WHERE tablename = 'runs' AND indexname IN ('idx_runs_claim', 'idx_runs_lease')
ORDER BY indexname;

-- Record migration
INSERT INTO schema_migrations (id)
VALUES ('004_add_queue_claim_indexes')
ON CONFLICT (id) DO NOTHING;
