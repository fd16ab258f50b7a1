-- The set of this crate's documentation examples.

-- UP
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE
);

-- DOWN
DROP TABLE users;
