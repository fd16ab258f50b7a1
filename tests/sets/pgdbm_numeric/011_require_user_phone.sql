-- Later migration after code deployed
ALTER TABLE {{tables.users}} ALTER COLUMN phone SET NOT NULL;
