ALTER TABLE songs DROP artist;
