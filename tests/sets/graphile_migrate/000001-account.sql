--! Previous: -
--! Hash: sha1:91297f66e34fa7cb5aaa82cab7f9cafb56a63f14
--! Message: account

CREATE TABLE account (id bigint PRIMARY KEY, name text NOT NULL);
