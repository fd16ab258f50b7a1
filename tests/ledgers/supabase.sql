-- What supabase 2.117.0 left of the first files of its set: `tests/ledgers/write supabase`.

CREATE SCHEMA supabase_migrations;

CREATE TABLE public.crlf (
    id integer
);

CREATE TABLE public.older (
    id integer
);

CREATE TABLE public.users (
    id integer NOT NULL,
    name text
);

CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;

CREATE TABLE supabase_migrations.schema_migrations (
    version text NOT NULL,
    statements text[],
    name text
);

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);

INSERT INTO public.users VALUES (1, 'a;b');

INSERT INTO supabase_migrations.schema_migrations VALUES ('20230101000000', '{"CREATE TABLE older(id int)"}', 'older');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240101000000', '{"CREATE TABLE users(id serial, name text)","-- The first one.
INSERT INTO users(name) VALUES ($$a;b$$)"}', 'init');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240102000000', '{"CREATE TABLE crlf(id int)","-- a comment
SELECT 1"}', 'crlf');
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240103000000', '{"-- migrate:no-transaction
CREATE INDEX CONCURRENTLY u ON users(name)"}', 'cic');

SELECT pg_catalog.setval('public.users_id_seq', 1, true);

ALTER TABLE ONLY supabase_migrations.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

CREATE INDEX u ON public.users USING btree (name);
