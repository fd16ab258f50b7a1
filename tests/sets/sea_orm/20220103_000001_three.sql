CREATE TABLE fruit (id int);
