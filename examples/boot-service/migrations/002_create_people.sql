-- UP
CREATE TABLE people (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email       text NOT NULL,
    first_name  text NOT NULL,
    last_name   text NOT NULL
);

-- Two spellings of one address are one person.
CREATE UNIQUE INDEX people_email_key ON people (lower(email));

-- DOWN
DROP TABLE people;
