-- What refinery 0.10.0 left of the first files of its set: `tests/ledgers/write refinery`.

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.refinery_schema_history (
    version integer NOT NULL,
    name character varying(255),
    applied_on character varying(255),
    checksum character varying(255)
);

INSERT INTO public.refinery_schema_history VALUES (1, 'account', '2026-11-30T05:18:00.085876507Z', '11874190798377966533');
INSERT INTO public.refinery_schema_history VALUES (2, 'email', '2026-11-30T05:18:00.161967024Z', '14773644480495378394');

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.refinery_schema_history
    ADD CONSTRAINT refinery_schema_history_pkey PRIMARY KEY (version);
