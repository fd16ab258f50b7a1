-- The set of the examples in docs/guides.

-- UP
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE
);

-- DOWN
DROP TABLE users;
