-- What alembic 1.20.1 left of the first files of its set: `tests/ledgers/write alembic`.

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

INSERT INTO public.alembic_version VALUES ('1975ea83b712');

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
