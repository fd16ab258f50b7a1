-- What Chronis 0.1.0rc4 left of the first files of its set: `tests/ledgers/write chronis`.

CREATE FUNCTION public.chronis_touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$;

CREATE TABLE public.chronis_jobs (
    job_id character varying(255) NOT NULL,
    data jsonb NOT NULL,
    status character varying(50) DEFAULT 'scheduled'::character varying NOT NULL,
    next_run_time timestamp with time zone,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.chronis_locks (
    lock_key character varying(255) NOT NULL,
    owner_id character varying(255) NOT NULL,
    acquired_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.chronis_migration_history (
    version integer NOT NULL,
    description text NOT NULL,
    filename text NOT NULL,
    applied_at timestamp without time zone DEFAULT now(),
    checksum text,
    execution_time_ms integer
);

INSERT INTO public.chronis_migration_history VALUES (1, 'initial schema', 'V001__initial_schema.sql', '2026-11-21 11:46:20.906658', '6914e04e35d1b5d4cd86a789cc54dde860c11198d5194691a4eede1954aea26c', 2);
INSERT INTO public.chronis_migration_history VALUES (2, 'add locks table', 'V002__add_locks_table.sql', '2026-11-21 11:46:20.912381', '08044f4fc7bf0d63b39a6a6df29078f6b8ab33a37f7dea4b08a9696d4727d018', 1);
INSERT INTO public.chronis_migration_history VALUES (3, 'add job indexes', 'V003__add_job_indexes.sql', '2026-11-21 11:46:20.914857', '98df2c6bbcb53831d98f1a41e68227a03d705b4f2fd89512ca26b62dd2e345cd', 3);

ALTER TABLE ONLY public.chronis_jobs
    ADD CONSTRAINT chronis_jobs_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY public.chronis_locks
    ADD CONSTRAINT chronis_locks_pkey PRIMARY KEY (lock_key);

ALTER TABLE ONLY public.chronis_migration_history
    ADD CONSTRAINT chronis_migration_history_pkey PRIMARY KEY (version);

CREATE INDEX idx_chronis_jobs_metadata ON public.chronis_jobs USING gin (metadata);

CREATE INDEX idx_chronis_jobs_next_run_time ON public.chronis_jobs USING btree (next_run_time) WHERE ((status)::text = 'scheduled'::text);

CREATE INDEX idx_chronis_jobs_status ON public.chronis_jobs USING btree (status);

CREATE INDEX idx_chronis_locks_expires_at ON public.chronis_locks USING btree (expires_at);

CREATE TRIGGER chronis_jobs_touch_updated_at BEFORE UPDATE ON public.chronis_jobs FOR EACH ROW EXECUTE FUNCTION public.chronis_touch_updated_at();
