-- What yoyo-migrations 9.0.0 left of the first files of its set: `tests/ledgers/write yoyo`.

CREATE TABLE public._yoyo_log (
    id character varying(36) NOT NULL,
    migration_hash character varying(64),
    migration_id character varying(255),
    operation character varying(10),
    username character varying(255),
    hostname character varying(255),
    comment character varying(255),
    created_at_utc timestamp without time zone
);

CREATE TABLE public._yoyo_migration (
    migration_hash character varying(64) NOT NULL,
    migration_id character varying(255),
    applied_at_utc timestamp without time zone
);

CREATE TABLE public._yoyo_version (
    version integer NOT NULL,
    installed_at_utc timestamp without time zone
);

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);

CREATE TABLE public.yoyo_lock (
    locked integer DEFAULT 1 NOT NULL,
    ctime timestamp without time zone,
    pid integer NOT NULL
);

INSERT INTO public._yoyo_log VALUES ('b57ff7f6-ec79-11f1-bd08-02fc00000001', 'c99bb9cc0a33290804e29d439055a2247ad0a9a314a72ef263429ccef38de168', '20240101_01_abcde-account', 'apply', 'root', 'localhost', NULL, '2026-11-30 04:51:30.546914');
INSERT INTO public._yoyo_log VALUES ('b589c1be-ec79-11f1-bd08-02fc00000001', 'ce91c423afce545b340ede7a1f78989671daa82463cf430708f08ab60d56f779', '20240102_01_fghij-email', 'apply', 'root', 'localhost', NULL, '2026-11-30 04:51:30.609969');

INSERT INTO public._yoyo_migration VALUES ('c99bb9cc0a33290804e29d439055a2247ad0a9a314a72ef263429ccef38de168', '20240101_01_abcde-account', '2026-11-30 04:51:30.561745');
INSERT INTO public._yoyo_migration VALUES ('ce91c423afce545b340ede7a1f78989671daa82463cf430708f08ab60d56f779', '20240102_01_fghij-email', '2026-11-30 04:51:30.61039');

INSERT INTO public._yoyo_version VALUES (2, '2026-11-30 04:51:30.466308');

ALTER TABLE ONLY public._yoyo_log
    ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public._yoyo_migration
    ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);

ALTER TABLE ONLY public._yoyo_version
    ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.yoyo_lock
    ADD CONSTRAINT yoyo_lock_pkey PRIMARY KEY (locked);
