ALTER TABLE cake ADD COLUMN name text;
