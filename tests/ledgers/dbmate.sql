-- What dbmate 2.36.0 left of the first files of its set: `tests/ledgers/write dbmate`.

CREATE TABLE public.a (
    id integer
);

CREATE TABLE public.b (
    id integer
);

CREATE TABLE public.schema_migrations (
    version character varying NOT NULL
);

INSERT INTO public.schema_migrations VALUES ('20240101120000');
INSERT INTO public.schema_migrations VALUES ('20240102120000');

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
