-- migrations/009_add_recent_documents.sql
-- Description: Users with the number of their recent documents

ALTER TABLE {{tables.documents}} ADD COLUMN created_at TIMESTAMPTZ NOT NULL DEFAULT NOW();

-- Even in complex queries
CREATE OR REPLACE VIEW {{tables.user_recent_documents}} AS
WITH recent_docs AS (
    SELECT * FROM {{tables.documents}}
    WHERE created_at > NOW() - INTERVAL '7 days'
)
SELECT u.*, COUNT(d.id) as doc_count
FROM {{tables.users}} u
LEFT JOIN recent_docs d ON u.id::text = d.owner_id
GROUP BY u.id;
