-- What postgrator 8.0.0 left of the first files of its set: `tests/ledgers/write postgrator`.

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.schemaversion (
    version bigint NOT NULL,
    name text,
    md5 text,
    run_at timestamp with time zone
);

INSERT INTO public.schemaversion VALUES (0, NULL, NULL, NULL);
INSERT INTO public.schemaversion VALUES (1, 'account', '9446a8ab00c16e839e27f4f970c38943', '2026-11-30 04:50:35.277+00');
INSERT INTO public.schemaversion VALUES (2, 'email', 'ece008a683ae9bbc04895265a29ad8e6', '2026-11-30 04:50:35.279+00');

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schemaversion
    ADD CONSTRAINT schemaversion_pkey PRIMARY KEY (version);
