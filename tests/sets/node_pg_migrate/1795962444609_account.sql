-- Up Migration
CREATE TABLE account (id bigint PRIMARY KEY, name text NOT NULL);

-- Down Migration
DROP TABLE account;
