--! Previous: sha1:9a64f9a444f1acc137bf8cb320b98825f62cfae1
--! Hash: sha1:5f32274c4d4e7472c9f549a9d7d1babe362a8d3e
--! Message: invoice

CREATE TABLE invoice (id bigint PRIMARY KEY, account bigint NOT NULL);
