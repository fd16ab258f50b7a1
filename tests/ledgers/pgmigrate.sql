-- What yandex-pgmigrate 1.0.13 left of the first files of its set: `tests/ledgers/write pgmigrate`.

CREATE TYPE public.schema_version_type AS ENUM (
    'auto',
    'manual'
);

CREATE TABLE public.schema_version (
    version bigint NOT NULL,
    description text NOT NULL,
    type public.schema_version_type DEFAULT 'auto'::public.schema_version_type NOT NULL,
    installed_by text NOT NULL,
    installed_on timestamp without time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.users (
    id integer,
    name text
);

INSERT INTO public.schema_version VALUES (1, 'init users', 'auto', 'postgres', '2026-11-30 08:26:24.286209');
INSERT INTO public.schema_version VALUES (2, 'two', 'auto', 'postgres', '2026-11-30 08:26:24.286209');
INSERT INTO public.schema_version VALUES (3, 'NONTRANSACTIONAL cic', 'auto', 'postgres', '2026-11-30 08:26:24.930107');

ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);

CREATE INDEX users_id ON public.users USING btree (id);
