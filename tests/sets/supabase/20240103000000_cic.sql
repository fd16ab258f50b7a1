-- migrate:no-transaction
CREATE INDEX CONCURRENTLY u ON users(name);
