-- Add locks table
CREATE TABLE IF NOT EXISTS chronis_locks (
    lock_key VARCHAR(255) PRIMARY KEY,
    owner_id VARCHAR(255) NOT NULL,
    acquired_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    expires_at TIMESTAMPTZ NOT NULL
);

-- Add index
CREATE INDEX IF NOT EXISTS idx_chronis_locks_expires_at
ON chronis_locks(expires_at);
