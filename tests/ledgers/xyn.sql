-- What psql 15.18 left of the first files of its set: `tests/ledgers/write xyn`.

CREATE TABLE public.blueprints (
    ref text NOT NULL,
    description text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    event_name text NOT NULL,
    occurred_at timestamp with time zone DEFAULT now() NOT NULL,
    run_id uuid,
    step_id uuid,
    data jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE public.run_edges (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    parent_run_id uuid NOT NULL,
    child_run_id uuid NOT NULL,
    child_key text NOT NULL,
    relation text DEFAULT 'child'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_run_edges_no_self CHECK ((parent_run_id <> child_run_id))
);

CREATE TABLE public.runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name text NOT NULL,
    blueprint_ref text,
    status text DEFAULT 'created'::text NOT NULL,
    actor text DEFAULT 'system'::text NOT NULL,
    correlation_id text,
    inputs jsonb DEFAULT '{}'::jsonb NOT NULL,
    outputs jsonb,
    error jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    priority integer DEFAULT 100 NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    locked_by text,
    lease_expires_at timestamp with time zone,
    parent_run_id uuid,
    CONSTRAINT ck_runs_priority_range CHECK (((priority >= 0) AND (priority <= 1000)))
);

CREATE TABLE public.schema_migrations (
    id text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.schema_migrations IS 'Applied migrations; one row a file of scripts/migrations';

CREATE TABLE public.steps (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    run_id uuid NOT NULL,
    name text NOT NULL,
    idx integer DEFAULT 0 NOT NULL,
    kind text NOT NULL,
    status text DEFAULT 'created'::text NOT NULL,
    inputs jsonb DEFAULT '{}'::jsonb NOT NULL,
    outputs jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    completed_at timestamp with time zone
);

INSERT INTO public.schema_migrations VALUES ('000_migrations_ledger', '2026-11-21 11:46:52.842033+00');
INSERT INTO public.schema_migrations VALUES ('001_initial_schema', '2026-11-21 11:46:52.889752+00');
INSERT INTO public.schema_migrations VALUES ('002_add_scheduling_and_priority', '2026-11-21 11:46:52.933501+00');
INSERT INTO public.schema_migrations VALUES ('003_add_run_edges_for_dag', '2026-11-21 11:46:52.969176+00');
INSERT INTO public.schema_migrations VALUES ('004_add_queue_claim_indexes', '2026-11-21 11:46:53.005756+00');

ALTER TABLE ONLY public.blueprints
    ADD CONSTRAINT blueprints_pkey PRIMARY KEY (ref);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.run_edges
    ADD CONSTRAINT run_edges_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.steps
    ADD CONSTRAINT steps_pkey PRIMARY KEY (id);

CREATE INDEX idx_events_run_id ON public.events USING btree (run_id, occurred_at);

CREATE INDEX idx_run_edges_child ON public.run_edges USING btree (child_run_id);

CREATE INDEX idx_runs_claim ON public.runs USING btree (priority, run_at, created_at) WHERE (status = 'queued'::text);

CREATE INDEX idx_runs_correlation_id ON public.runs USING btree (correlation_id);

CREATE INDEX idx_runs_lease ON public.runs USING btree (lease_expires_at) WHERE (status = 'running'::text);

CREATE INDEX idx_runs_parent_run_id ON public.runs USING btree (parent_run_id);

CREATE INDEX idx_runs_status ON public.runs USING btree (status);

CREATE INDEX idx_steps_run_id ON public.steps USING btree (run_id);

CREATE UNIQUE INDEX uq_run_edges_parent_key ON public.run_edges USING btree (parent_run_id, child_key);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_step_id_fkey FOREIGN KEY (step_id) REFERENCES public.steps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.run_edges
    ADD CONSTRAINT run_edges_child_run_id_fkey FOREIGN KEY (child_run_id) REFERENCES public.runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.run_edges
    ADD CONSTRAINT run_edges_parent_run_id_fkey FOREIGN KEY (parent_run_id) REFERENCES public.runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_blueprint_ref_fkey FOREIGN KEY (blueprint_ref) REFERENCES public.blueprints(ref);

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_parent_run_id_fkey FOREIGN KEY (parent_run_id) REFERENCES public.runs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.steps
    ADD CONSTRAINT steps_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;
