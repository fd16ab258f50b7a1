-- What prisma 6.19.3 left of the first files of its set: `tests/ledgers/write prisma`.

CREATE TABLE public._prisma_migrations (
    id character varying(36) NOT NULL,
    checksum character varying(64) NOT NULL,
    finished_at timestamp with time zone,
    migration_name character varying(255) NOT NULL,
    logs text,
    rolled_back_at timestamp with time zone,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    applied_steps_count integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.older (
    id integer
);

INSERT INTO public._prisma_migrations VALUES ('c9637e0f-cb45-42e8-b753-7c662cd6770e', '57807a8237d409dd26572422350adf53c1e66058e58d3dd6381ecee0a373b6a7', NULL, '20240105000000_fail', 'external connector error
Error querying the database: ERROR: division by zero
   0: sql_schema_connector::apply_migration::apply_script
           with migration_name="20240105000000_fail"
             at schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113
   1: schema_commands::commands::apply_migrations::Applying migration
           with migration_name="20240105000000_fail"
             at schema-engine/commands/src/commands/apply_migrations.rs:95
   2: schema_engine_wasm::wasm::engine::ApplyMigrations
             at schema-engine/schema-engine-wasm/src/wasm/engine.rs:167', '2026-11-30 08:31:35.874+00', '2026-11-30 08:31:21.383+00', 0);
INSERT INTO public._prisma_migrations VALUES ('a35277a7-0485-4d25-8704-36532a02b4bd', '07928b9cbdffab1b5887c29b7de28a1326de8992dfc35d5a94c8ba3b9ed698eb', '2026-11-30 08:32:02.104+00', '20230101000000_older', NULL, NULL, '2026-11-30 08:32:01.967+00', 1);

ALTER TABLE ONLY public._prisma_migrations
    ADD CONSTRAINT _prisma_migrations_pkey PRIMARY KEY (id);
