-- What drizzle-orm 1.0.0-rc.5 left of the first files of its set: `tests/ledgers/write drizzle1`.

CREATE SCHEMA drizzle;

CREATE TABLE drizzle.__drizzle_migrations (
    id integer NOT NULL,
    hash text NOT NULL,
    created_at bigint,
    name text,
    applied_at timestamp with time zone DEFAULT now()
);

CREATE SEQUENCE drizzle.__drizzle_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE drizzle.__drizzle_migrations_id_seq OWNED BY drizzle.__drizzle_migrations.id;

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

ALTER TABLE ONLY drizzle.__drizzle_migrations ALTER COLUMN id SET DEFAULT nextval('drizzle.__drizzle_migrations_id_seq'::regclass);

INSERT INTO drizzle.__drizzle_migrations VALUES (1, '28cd2c33928cf7598eec0823819e0dae916ab5e867904368993096fd78813de5', 1704067200000, '20240101000000_account', '2026-11-30 04:50:20.936369+00');
INSERT INTO drizzle.__drizzle_migrations VALUES (2, 'ecac4e5fc31503ba42dd33c61b5df39ec8ea692885924c53dd48a167856d3c17', 1704153600000, '20240102000000_email', '2026-11-30 04:50:20.936369+00');

SELECT pg_catalog.setval('drizzle.__drizzle_migrations_id_seq', 2, true);

ALTER TABLE ONLY drizzle.__drizzle_migrations
    ADD CONSTRAINT __drizzle_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
