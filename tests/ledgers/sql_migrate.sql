-- What sql-migrate of Debian (0.0~git20191213) left.

CREATE TABLE public.gorp_migrations (
    id text NOT NULL,
    applied_at timestamp with time zone
);

INSERT INTO public.gorp_migrations VALUES ('20240101000000-init.sql', '2026-11-29 14:39:12.828896+00');
INSERT INTO public.gorp_migrations VALUES ('20240102000000-cic.sql', '2026-11-29 14:39:12.830047+00');

ALTER TABLE ONLY public.gorp_migrations
    ADD CONSTRAINT gorp_migrations_pkey PRIMARY KEY (id);
