-- UP
ALTER TABLE people ADD COLUMN display_name text;

UPDATE people SET display_name = concat_ws(' ', first_name, last_name);

ALTER TABLE people ALTER COLUMN display_name SET NOT NULL;

-- DOWN
ALTER TABLE people DROP COLUMN display_name;
