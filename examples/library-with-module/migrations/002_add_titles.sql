ALTER TABLE notes ADD title text;
