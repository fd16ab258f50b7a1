-- What Liquibase 4.28.0 (npm 4.28.1) left of the first files of its set: `tests/ledgers/write liquibase`.

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.databasechangelog (
    id character varying(255) NOT NULL,
    author character varying(255) NOT NULL,
    filename character varying(255) NOT NULL,
    dateexecuted timestamp without time zone NOT NULL,
    orderexecuted integer NOT NULL,
    exectype character varying(10) NOT NULL,
    md5sum character varying(35),
    description character varying(255),
    comments character varying(255),
    tag character varying(255),
    liquibase character varying(20),
    contexts character varying(255),
    labels character varying(255),
    deployment_id character varying(10)
);

CREATE TABLE public.databasechangeloglock (
    id integer NOT NULL,
    locked boolean NOT NULL,
    lockgranted timestamp without time zone,
    lockedby character varying(255)
);

INSERT INTO public.databasechangelog VALUES ('0001_account', 'alice', 'changelog.sql', '2026-11-30 04:54:25.199356', 1, 'EXECUTED', '9:9315809ac67dd30291ed0461f33da052', 'sql', '', NULL, '4.28.0', NULL, NULL, '6014464852');
INSERT INTO public.databasechangelog VALUES ('0002_email', 'alice', 'changelog.sql', '2026-11-30 04:54:25.235286', 2, 'EXECUTED', '9:7cfbb346b885c47aa0963512321b987e', 'sql', '', NULL, '4.28.0', NULL, NULL, '6014464852');

INSERT INTO public.databasechangeloglock VALUES (1, false, NULL, NULL);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.databasechangeloglock
    ADD CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (id);
