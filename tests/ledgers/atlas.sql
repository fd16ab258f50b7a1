-- The table of Atlas at a5e0aecc, as its source says: the tool itself was not to be had.

CREATE SCHEMA atlas_schema_revisions;

CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (
    version character varying NOT NULL,
    description character varying NOT NULL,
    type bigint DEFAULT 2 NOT NULL,
    applied bigint DEFAULT 0 NOT NULL,
    total bigint DEFAULT 0 NOT NULL,
    executed_at timestamp with time zone NOT NULL,
    execution_time bigint NOT NULL,
    error text,
    error_stmt text,
    hash character varying NOT NULL,
    partial_hashes jsonb,
    operator_version character varying NOT NULL
);

INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES ('.atlas_cloud_identifier', 'x', 4, 0, 0, '2026-11-30 04:00:00+00', 0, NULL, NULL, '', 'null', 'Atlas CLI');
INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES ('20240101000000', 'account', 2, 1, 1, '2026-11-30 04:00:00+00', 3000000, '', '', '2OvpoS+GK6lnfa4a55aHfE6h9/+yqKy1DV6n009cIZ0=', 'null', 'Atlas CLI');
INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES ('20240102000000', 'email', 2, 1, 1, '2026-11-30 04:00:01+00', 2000000, '', '', 'kCuo0u8NssfbRRMxuqinrMa/+tZv/21XzojiLXYlhuc=', 'null', 'Atlas CLI');

CREATE TABLE public.account (
    id bigint NOT NULL,
    name text NOT NULL,
    email text
);
