ALTER TABLE orders ADD COLUMN cents bigint NOT NULL DEFAULT 0 CHECK (cents >= 0);

CREATE VIEW customer_totals AS
SELECT customer, sum(cents) AS cents FROM orders GROUP BY customer;
