-- Add indexes
CREATE INDEX IF NOT EXISTS idx_chronis_jobs_status
ON chronis_jobs(status);

CREATE INDEX IF NOT EXISTS idx_chronis_jobs_next_run_time
ON chronis_jobs(next_run_time)
WHERE status = 'scheduled';

CREATE INDEX IF NOT EXISTS idx_chronis_jobs_metadata
ON chronis_jobs USING GIN (metadata);
