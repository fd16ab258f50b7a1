-- migrations/006_add_document_count.sql
-- Description: Count the documents

-- Functions
CREATE OR REPLACE FUNCTION get_document_count()
RETURNS INTEGER AS $$
BEGIN
    RETURN (SELECT COUNT(*) FROM {{tables.documents}});
END;
$$ LANGUAGE plpgsql;
