-- Chronis PostgreSQL storage adapter: initial schema

-- Scheduled jobs
CREATE TABLE IF NOT EXISTS chronis_jobs (
    job_id VARCHAR(255) PRIMARY KEY,
    data JSONB NOT NULL,
    status VARCHAR(50) NOT NULL DEFAULT 'scheduled',
    next_run_time TIMESTAMPTZ,
    metadata JSONB NOT NULL DEFAULT '{}'::jsonb,
    created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

-- Keep updated_at current
CREATE OR REPLACE FUNCTION chronis_touch_updated_at()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS chronis_jobs_touch_updated_at ON chronis_jobs;
CREATE TRIGGER chronis_jobs_touch_updated_at
BEFORE UPDATE ON chronis_jobs
FOR EACH ROW EXECUTE FUNCTION chronis_touch_updated_at();
