-- What sea-orm-migration 2.0.4 left.

CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);

INSERT INTO public.seaql_migrations VALUES ('m20220101_000001_create_table', 1795964977);
INSERT INTO public.seaql_migrations VALUES ('m20220102_000001_two', 1795964977);

ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);
