-- What sql-migrate of Debian (0.0~git20191213) left of the first files of its set: `tests/ledgers/write sql_migrate`.

CREATE TABLE public.gorp_migrations (
    id text NOT NULL,
    applied_at timestamp with time zone
);

CREATE TABLE public.users (
    id integer
);

INSERT INTO public.gorp_migrations VALUES ('20240101000000-init.sql', '2026-11-30 08:26:30.772579+00');
INSERT INTO public.gorp_migrations VALUES ('20240102000000-cic.sql', '2026-11-30 08:26:30.844242+00');

ALTER TABLE ONLY public.gorp_migrations
    ADD CONSTRAINT gorp_migrations_pkey PRIMARY KEY (id);

CREATE INDEX users_id ON public.users USING btree (id);
