-- What prisma 6.19.3 left: one migration that it applied, and one that failed and was resolved as rolled back.

CREATE TABLE public._prisma_migrations (
    id character varying(36) NOT NULL,
    checksum character varying(64) NOT NULL,
    finished_at timestamp with time zone,
    migration_name character varying(255) NOT NULL,
    logs text,
    rolled_back_at timestamp with time zone,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    applied_steps_count integer DEFAULT 0 NOT NULL
);

INSERT INTO public._prisma_migrations VALUES ('05c7e54e-9b86-4356-ac32-730bae2ae43f', '034dcf985ab5928cb34c985b519a6959c7bbb21202de09f4cba52a013f0e8c01', NULL, '20240105000000_fail', '(the error text)', '2026-11-29 14:25:22.447+00', '2026-11-29 14:25:17.086+00', 0);
INSERT INTO public._prisma_migrations VALUES ('de6970ca-8a0e-45a9-af44-ccf308ec0f62', '07928b9cbdffab1b5887c29b7de28a1326de8992dfc35d5a94c8ba3b9ed698eb', '2026-11-29 14:26:07.6+00', '20230101000000_older', NULL, NULL, '2026-11-29 14:26:07.584+00', 1);

ALTER TABLE ONLY public._prisma_migrations
    ADD CONSTRAINT _prisma_migrations_pkey PRIMARY KEY (id);

CREATE TABLE public.older (
    id integer
);
