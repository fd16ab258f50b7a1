DROP VIEW customer_totals;
ALTER TABLE orders DROP COLUMN cents;
