-- migrate:no-transaction

-- UP
CREATE INDEX CONCURRENTLY users_lower_email ON users (lower(email));

-- DOWN
DROP INDEX CONCURRENTLY IF EXISTS users_lower_email;
