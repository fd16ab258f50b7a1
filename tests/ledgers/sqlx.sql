-- What sqlx 0.9.0 left of the first files of its set: `tests/ledgers/write sqlx`.

CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

INSERT INTO public._sqlx_migrations VALUES (20240101000000, 'account', '2026-11-30 05:25:40.28599+00', true, '\x28db7a4d729c4d45c4677e2ec579eaf24d1f1163e5ca01c5b8b2a1fbdaca9287ee969f4a371fe29819c1a2f68579b83a', 5228082);
INSERT INTO public._sqlx_migrations VALUES (20240102000000, 'email', '2026-11-30 05:25:40.291567+00', true, '\x13cc7cfaf57ddc55f2b6c5a00717efe058a05a28381a212a03f4c0bad6b2d7e4e8ec09639dec95b199f81f9560549df9', 2256227);

ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
