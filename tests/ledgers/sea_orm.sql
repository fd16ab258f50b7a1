-- What sea-orm-migration 2.0.4 left of the first files of its set: `tests/ledgers/write sea_orm`.

CREATE TABLE public.cake (
    id integer,
    name text
);

CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);

INSERT INTO public.seaql_migrations VALUES ('m20220101_000001_create_table', 1796033565);
INSERT INTO public.seaql_migrations VALUES ('m20220102_000001_two', 1796033565);

ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);
