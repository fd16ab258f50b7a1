-- The schema that a set makes, written by `migrate schema --static`. Do not edit it.
-- unknown: objects that are made, changed or gone after 0003_add_hashes.sql, which calls a function of the service

-- table public.users
CREATE TABLE public.users (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    email text NOT NULL,
    hash text,
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_pkey PRIMARY KEY (id)
);

-- index users_lower_email on public.users
CREATE INDEX users_lower_email ON public.users (lower(email));

-- sequence public.users_id_seq
CREATE SEQUENCE public.users_id_seq OWNED BY public.users.id;
