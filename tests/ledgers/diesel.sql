-- What diesel_migrations 2.3.2 left of the first files of its set: `tests/ledgers/write diesel`.

CREATE TABLE public.__diesel_schema_migrations (
    version character varying(50) NOT NULL,
    run_on timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

INSERT INTO public.__diesel_schema_migrations VALUES ('20240101000000', '2026-11-30 05:34:27.009965');
INSERT INTO public.__diesel_schema_migrations VALUES ('20240102000000', '2026-11-30 05:34:27.016243');

ALTER TABLE ONLY public.__diesel_schema_migrations
    ADD CONSTRAINT __diesel_schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
