CREATE TABLE crlf(id int);
-- a comment
SELECT 1;
