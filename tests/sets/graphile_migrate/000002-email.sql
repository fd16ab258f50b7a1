--! Previous: sha1:91297f66e34fa7cb5aaa82cab7f9cafb56a63f14
--! Hash: sha1:9a64f9a444f1acc137bf8cb320b98825f62cfae1
--! Message: email

ALTER TABLE account ADD COLUMN email text;
