ALTER TABLE songs ADD artist text NOT NULL DEFAULT '';
