-- UP
CREATE INDEX orders_buyer ON orders (buyer);
-- DOWN
-- migrate:no-transaction
DROP INDEX CONCURRENTLY orders_buyer;
