-- +migrate Up
CREATE TABLE invoice (id bigint PRIMARY KEY);
-- +migrate Down
DROP TABLE invoice;
