-- What pyway 0.3.33 left of the first files of its set: `tests/ledgers/write pyway`.

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.pyway (
    installed_rank integer NOT NULL,
    version character varying(20) NOT NULL,
    extension character varying(20) NOT NULL,
    name character varying(125) NOT NULL,
    checksum character varying(25) NOT NULL,
    apply_timestamp timestamp without time zone DEFAULT now()
);

CREATE SEQUENCE public.pyway_installed_rank_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.pyway_installed_rank_seq OWNED BY public.pyway.installed_rank;

ALTER TABLE ONLY public.pyway ALTER COLUMN installed_rank SET DEFAULT nextval('public.pyway_installed_rank_seq'::regclass);

INSERT INTO public.pyway VALUES (1, '01.01', 'SQL', 'V01_01__account.sql', 'E5A01A05', '2026-11-30 04:52:13.217676');
INSERT INTO public.pyway VALUES (2, '01.02', 'SQL', 'V01_02__email.sql', 'FE9846A2', '2026-11-30 04:52:13.274187');

SELECT pg_catalog.setval('public.pyway_installed_rank_seq', 2, true);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pyway
    ADD CONSTRAINT pyway_pkey PRIMARY KEY (installed_rank);
