-- UP
CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint REFERENCES users);
COMMENT ON TABLE orders IS 'it''s new; -- not in the older one';
-- DOWN
DROP TABLE orders;
