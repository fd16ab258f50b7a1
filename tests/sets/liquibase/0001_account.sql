-- The accounts, one a customer.
CREATE TABLE account (id bigint PRIMARY KEY, name text NOT NULL);
--rollback DROP TABLE account;
