-- What node-pg-migrate 9.0.0 left of the first files of its set: `tests/ledgers/write node_pg_migrate`.

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.pgmigrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);

CREATE SEQUENCE public.pgmigrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pgmigrations_id_seq OWNED BY public.pgmigrations.id;

ALTER TABLE ONLY public.pgmigrations ALTER COLUMN id SET DEFAULT nextval('public.pgmigrations_id_seq'::regclass);

INSERT INTO public.pgmigrations VALUES (1, '1795962444609_account', '2026-11-30 04:50:43.73175');
INSERT INTO public.pgmigrations VALUES (2, '1795962446418_email', '2026-11-30 04:50:43.742946');

SELECT pg_catalog.setval('public.pgmigrations_id_seq', 2, true);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pgmigrations
    ADD CONSTRAINT pgmigrations_pkey PRIMARY KEY (id);
