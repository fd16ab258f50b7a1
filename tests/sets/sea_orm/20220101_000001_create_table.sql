CREATE TABLE cake (id int);
