-- What pgdbm 0.5.0 left of the first files of its set: `tests/ledgers/write pgdbm`.

CREATE FUNCTION public.get_document_count() RETURNS integer
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN (SELECT COUNT(*) FROM documents);
END;
$$;

CREATE TABLE public.document_chunks (
    chunk_id uuid NOT NULL,
    document_id uuid
);

CREATE TABLE public.documents (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    owner_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.organizations (
    id integer NOT NULL,
    name character varying(255) NOT NULL
);

CREATE SEQUENCE public.organizations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.organizations_id_seq OWNED BY public.organizations.id;

CREATE TABLE public.products (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    price numeric(10,2) NOT NULL
);

CREATE SEQUENCE public.products_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.products_id_seq OWNED BY public.products.id;

CREATE TABLE public.schema_migrations (
    id integer NOT NULL,
    filename character varying(255) NOT NULL,
    checksum character varying(64) NOT NULL,
    module_name character varying(100),
    applied_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    applied_by character varying(100) DEFAULT CURRENT_USER,
    execution_time_ms integer
);

CREATE SEQUENCE public.schema_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.schema_migrations_id_seq OWNED BY public.schema_migrations.id;

CREATE TABLE public.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id integer,
    expires_at timestamp without time zone NOT NULL
);

CREATE VIEW public.user_recent_documents AS
SELECT
    NULL::integer AS id,
    NULL::character varying(255) AS email,
    NULL::timestamp without time zone AS created_at,
    NULL::character varying(20) AS status,
    NULL::character varying(100) AS first_name,
    NULL::character varying(100) AS last_name,
    NULL::character varying(255) AS full_name,
    NULL::bigint AS doc_count;

CREATE TABLE public.users (
    id integer NOT NULL,
    email character varying(255) NOT NULL,
    created_at timestamp without time zone DEFAULT CURRENT_TIMESTAMP,
    status character varying(20) DEFAULT 'active'::character varying,
    first_name character varying(100),
    last_name character varying(100),
    full_name character varying(255) NOT NULL
);

CREATE SEQUENCE public.users_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;

ALTER TABLE ONLY public.organizations ALTER COLUMN id SET DEFAULT nextval('public.organizations_id_seq'::regclass);

ALTER TABLE ONLY public.products ALTER COLUMN id SET DEFAULT nextval('public.products_id_seq'::regclass);

ALTER TABLE ONLY public.schema_migrations ALTER COLUMN id SET DEFAULT nextval('public.schema_migrations_id_seq'::regclass);

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);

INSERT INTO public.schema_migrations VALUES (1, '001_initial_schema.sql', '07bfe479309a1b1708dcdd7bccc0a586c283fa0dc9992bf65245154864da2ca6', 'default', '2026-11-21 11:46:30.414795', 'postgres', 7);
INSERT INTO public.schema_migrations VALUES (2, '002_add_users_table.sql', '96fe5fce1fad99307717c3aa6d5d03f09f600b4061b92a187bdd9908e034c0ab', 'default', '2026-11-21 11:46:30.426893', 'postgres', 6);
INSERT INTO public.schema_migrations VALUES (3, '003_add_indexes.sql', 'ff8a7abd838bf1b39bd6bcbb4c4b33506dbd106f0dcbb5f39c08afa94b623998', 'default', '2026-11-21 11:46:30.435604', 'postgres', 4);
INSERT INTO public.schema_migrations VALUES (4, '004_add_user_status.sql', '9e9be17d0fae2ab2f3776bd0c8084893b51814536a9e9959fff5d5694058acc5', 'default', '2026-11-21 11:46:30.44442', 'postgres', 1);
INSERT INTO public.schema_migrations VALUES (5, '005_add_products_table.sql', '6a6ef78e5771ded12ad5b6d4a6081fe3718fd72af0e20cd806c51c22b32325a0', 'default', '2026-11-21 11:46:30.447642', 'postgres', 2);
INSERT INTO public.schema_migrations VALUES (6, '006_add_document_count.sql', 'd4117180de91a146eb34d91c69111752d4bc91c5d94bfe614faaab6fc81c12d5', 'default', '2026-11-21 11:46:30.45431', 'postgres', 1);
INSERT INTO public.schema_migrations VALUES (7, '007_add_organizations.sql', 'e3dd4b8b360f5f0712ac5a12a0fdb4f2236a24f6914a15713e7d74c9bec931ee', 'default', '2026-11-21 11:46:30.458103', 'postgres', 3);
INSERT INTO public.schema_migrations VALUES (8, '008_add_user_full_name.sql', 'cc12c190e00f839bb6e538baaa972aa42530c810dfdf52cadf1a0edf808b6ebc', 'default', '2026-11-21 11:46:30.463186', 'postgres', 2);
INSERT INTO public.schema_migrations VALUES (9, '009_add_recent_documents.sql', 'c4d01b7c14e0052eee278e3734ab69a40a5e812eb1f020baac7508911d984c8a', 'default', '2026-11-21 11:46:30.467255', 'postgres', 1);

SELECT pg_catalog.setval('public.organizations_id_seq', 1, false);

SELECT pg_catalog.setval('public.products_id_seq', 1, false);

SELECT pg_catalog.setval('public.schema_migrations_id_seq', 9, true);

SELECT pg_catalog.setval('public.users_id_seq', 1, false);

ALTER TABLE ONLY public.document_chunks
    ADD CONSTRAINT document_chunks_pkey PRIMARY KEY (chunk_id);

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_filename_module_name_key UNIQUE (filename, module_name);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

CREATE INDEX idx_documents_owner ON public.documents USING btree (owner_id);

CREATE INDEX idx_schema_migrations_module ON public.schema_migrations USING btree (module_name, filename);

CREATE INDEX idx_sessions_expires ON public.sessions USING btree (expires_at);

CREATE INDEX idx_sessions_user_id ON public.sessions USING btree (user_id);

CREATE INDEX idx_users_email ON public.users USING btree (email);

CREATE OR REPLACE VIEW public.user_recent_documents AS
 WITH recent_docs AS (
         SELECT documents.id,
            documents.owner_id,
            documents.created_at
           FROM public.documents
          WHERE (documents.created_at > (now() - '7 days'::interval))
        )
 SELECT u.id,
    u.email,
    u.created_at,
    u.status,
    u.first_name,
    u.last_name,
    u.full_name,
    count(d.id) AS doc_count
   FROM (public.users u
     LEFT JOIN recent_docs d ON (((u.id)::text = d.owner_id)))
  GROUP BY u.id;

ALTER TABLE ONLY public.document_chunks
    ADD CONSTRAINT document_chunks_document_id_fkey FOREIGN KEY (document_id) REFERENCES public.documents(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
