CREATE TABLE invoice (id bigint PRIMARY KEY, account bigint NOT NULL);
