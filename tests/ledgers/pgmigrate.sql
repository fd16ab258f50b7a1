-- What yandex-pgmigrate 1.0.13 left.

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

INSERT INTO public.schema_version VALUES (1, 'init users', 'auto', 'postgres', '2026-11-29 14:35:50.938047');
INSERT INTO public.schema_version VALUES (2, 'two', 'auto', 'postgres', '2026-11-29 14:35:50.938047');
INSERT INTO public.schema_version VALUES (3, 'NONTRANSACTIONAL cic', 'auto', 'postgres', '2026-11-29 14:35:50.992349');

ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);
