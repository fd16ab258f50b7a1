-- Add new columns
ALTER TABLE chronis_jobs ADD COLUMN IF NOT EXISTS retry_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chronis_jobs ADD COLUMN IF NOT EXISTS max_retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chronis_jobs ADD COLUMN IF NOT EXISTS last_error TEXT;

-- Add index
CREATE INDEX IF NOT EXISTS idx_chronis_jobs_retry
ON chronis_jobs(retry_count)
WHERE retry_count > 0;
