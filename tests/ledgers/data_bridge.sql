-- What data-bridge 0.1.0-alpha (its `MigrationRunner`, compiled by itself) left of the first seven files of its set.

CREATE FUNCTION public.update_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$;

CREATE TABLE public._migrations (
    version character varying(255) NOT NULL,
    description text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    checksum character varying(64) NOT NULL
);

CREATE TABLE public.posts (
    id integer NOT NULL,
    user_id integer NOT NULL,
    title character varying(500) NOT NULL,
    content text,
    created_at timestamp with time zone DEFAULT now()
);

CREATE SEQUENCE public.posts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.posts_id_seq OWNED BY public.posts.id;

CREATE TABLE public.users (
    id integer NOT NULL,
    email character varying(255) NOT NULL,
    name character varying(255),
    created_at timestamp with time zone DEFAULT now(),
    status character varying(20) DEFAULT 'active'::character varying NOT NULL,
    phone character varying(20),
    verified boolean DEFAULT false,
    first_name character varying(100),
    last_name character varying(100),
    last_login timestamp with time zone,
    full_name character varying(500) NOT NULL,
    updated_at timestamp with time zone DEFAULT now(),
    CONSTRAINT check_email_format CHECK (((email)::text ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}$'::text)),
    CONSTRAINT check_user_status CHECK (((status)::text = ANY ((ARRAY['active'::character varying, 'suspended'::character varying, 'deleted'::character varying])::text[])))
);

CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;

ALTER TABLE ONLY public.posts ALTER COLUMN id SET DEFAULT nextval('public.posts_id_seq'::regclass);

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);

INSERT INTO public._migrations VALUES ('20250128_120000', 'Create users table with basic columns', '2026-11-21 11:53:37.97593+00', '50d685676871bf97562b02213324fe07fedd852271c469e947d60d9dd45281a3');
INSERT INTO public._migrations VALUES ('20250128_130000', 'add user status', '2026-11-21 11:53:37.998457+00', '23ef8f94db2ef00db250d8e84815feb0424832128e0a4c336c0e456da6872111');
INSERT INTO public._migrations VALUES ('20250128_153000', 'add user profile fields', '2026-11-21 11:53:38.006946+00', '6961317fa3f29324205bb8902c2cf7c24cd16b8c36c546f7b59491f0529f7c33');
INSERT INTO public._migrations VALUES ('20250129_093000', 'create posts table', '2026-11-21 11:53:38.014642+00', 'e63788017fe3a91282dfc03fb6fc74899eee38295e90e40e28538e2a80482daf');
INSERT INTO public._migrations VALUES ('20250129_110000', 'add user full name', '2026-11-21 11:53:38.034421+00', 'f88ee4c0c2c099b2e053398ccd66f8c13467cda3c9272734cda4a8e8643cf2f2');
INSERT INTO public._migrations VALUES ('20250129_142500', 'check email format', '2026-11-21 11:53:38.042542+00', 'd7a37dc4143353b67d7d164003eb1bc5cc1792d37f7312703de0ac0b712af83f');
INSERT INTO public._migrations VALUES ('20250130_090000', 'keep updated_at of users current', '2026-11-21 11:53:38.046008+00', '35397c883f90bace3c699fc9f31387e7c35c35e3f0631d528227fec958a9d39f');

SELECT pg_catalog.setval('public.posts_id_seq', 1, false);

SELECT pg_catalog.setval('public.users_id_seq', 1, false);

ALTER TABLE ONLY public._migrations
    ADD CONSTRAINT _migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE INDEX idx_posts_user_id ON public.posts USING btree (user_id);

CREATE INDEX idx_users_email ON public.users USING btree (email);

CREATE INDEX idx_users_status ON public.users USING btree (status);

CREATE TRIGGER update_users_timestamp BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.update_updated_at();

ALTER TABLE ONLY public.posts
    ADD CONSTRAINT posts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
