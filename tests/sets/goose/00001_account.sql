-- +goose Up
CREATE TABLE account (id bigint PRIMARY KEY, name text NOT NULL);
-- +goose Down
DROP TABLE account;
