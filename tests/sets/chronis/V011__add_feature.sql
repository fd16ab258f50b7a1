-- Add new column
ALTER TABLE chronis_jobs ADD COLUMN IF NOT EXISTS priority INTEGER DEFAULT 0;

-- Add index
CREATE INDEX IF NOT EXISTS idx_chronis_jobs_priority
ON chronis_jobs(priority);
