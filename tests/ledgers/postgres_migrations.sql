-- What postgres-migrations 5.3.0 left of the first files of its set: `tests/ledgers/write postgres_migrations`.

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.migrations (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    hash character varying(40) NOT NULL,
    executed_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO public.migrations VALUES (0, 'create-migrations-table', 'e18db593bcde2aca2a408c4d1100f6abba2195df', '2026-11-30 04:50:26.255468');
INSERT INTO public.migrations VALUES (1, 'account', '5971eaef311834c6b18ce84717eb48bdc62cfa52', '2026-11-30 04:50:26.273658');
INSERT INTO public.migrations VALUES (2, 'email', 'e025d493c438ce2587172806899cb2e70f0a05d7', '2026-11-30 04:50:26.296958');

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_name_key UNIQUE (name);

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
