-- What supabase 2.117.0 left.

CREATE SCHEMA supabase_migrations;

CREATE TABLE supabase_migrations.schema_migrations (
    version text NOT NULL,
    statements text[],
    name text
);

INSERT INTO supabase_migrations.schema_migrations VALUES ('20240101000000', '{"CREATE TABLE users(id serial, name text)","INSERT INTO users(name) VALUES ($$a;b$$)"}', 'init');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240102000000', '{"CREATE TABLE crlf(id int)","-- a comment
SELECT 1"}', 'crlf');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20230101000000', '{"CREATE TABLE older(id int)"}', 'older');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240103000000', '{"CREATE INDEX CONCURRENTLY u ON users(name)"}', 'cic');

ALTER TABLE ONLY supabase_migrations.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

CREATE TABLE public.users (
    id serial,
    name text
);

CREATE INDEX u ON public.users USING btree (name);
