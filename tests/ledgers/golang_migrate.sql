-- The table of golang-migrate at 0165cfc, as its source says: the tool itself was not to be had.

CREATE TABLE public.schema_migrations (
    version bigint NOT NULL PRIMARY KEY,
    dirty boolean NOT NULL
);

INSERT INTO public.schema_migrations VALUES (2, false);

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);
