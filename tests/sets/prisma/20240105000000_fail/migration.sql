CREATE TABLE newer (id int);
