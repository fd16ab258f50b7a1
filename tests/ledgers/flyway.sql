-- The table of Flyway at 196c21b, as its source says: the tool itself was not to be had.

CREATE TABLE public.flyway_schema_history (
    installed_rank integer NOT NULL PRIMARY KEY,
    version character varying(50),
    description character varying(200) NOT NULL,
    type character varying(20) NOT NULL,
    script character varying(1000) NOT NULL,
    checksum integer,
    installed_by character varying(100) NOT NULL,
    installed_on timestamp without time zone DEFAULT now() NOT NULL,
    execution_time integer NOT NULL,
    success boolean NOT NULL
);

INSERT INTO public.flyway_schema_history VALUES (1, '1', 'account', 'SQL', 'V1__account.sql', 2060351713, 'fly', '2026-11-30 04:00:00', 3, true);
INSERT INTO public.flyway_schema_history VALUES (2, '2', 'email', 'SQL', 'V2__email.sql', 1127720116, 'fly', '2026-11-30 04:00:01', 2, true);

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);
