-- migrate:phase contract after 2.3
ALTER TABLE orders DROP COLUMN note;
