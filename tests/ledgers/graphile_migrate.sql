-- What graphile-migrate 1.4.1 left of the first files of its set: `tests/ledgers/write graphile_migrate`.

CREATE SCHEMA graphile_migrate;

CREATE TABLE graphile_migrate.current (
    filename text DEFAULT 'current.sql'::text NOT NULL,
    content text NOT NULL,
    date timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE graphile_migrate.migrations (
    hash text NOT NULL,
    previous_hash text,
    filename text NOT NULL,
    date timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

INSERT INTO graphile_migrate.migrations VALUES ('sha1:91297f66e34fa7cb5aaa82cab7f9cafb56a63f14', NULL, '000001.sql', '2026-11-30 04:50:57.412869+00');
INSERT INTO graphile_migrate.migrations VALUES ('sha1:9a64f9a444f1acc137bf8cb320b98825f62cfae1', 'sha1:91297f66e34fa7cb5aaa82cab7f9cafb56a63f14', '000002.sql', '2026-11-30 04:50:57.445643+00');

ALTER TABLE ONLY graphile_migrate.current
    ADD CONSTRAINT current_pkey PRIMARY KEY (filename);

ALTER TABLE ONLY graphile_migrate.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY graphile_migrate.migrations
    ADD CONSTRAINT migrations_previous_hash_fkey FOREIGN KEY (previous_hash) REFERENCES graphile_migrate.migrations(hash);
