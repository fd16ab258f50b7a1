
CREATE TABLE IF NOT EXISTS {{tables.products}} (
    id SERIAL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    price DECIMAL(10, 2) NOT NULL
);
