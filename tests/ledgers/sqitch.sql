-- What sqitch 1.3.1 left: its table of changes, with the first one.

CREATE SCHEMA sqitch;

CREATE TABLE sqitch.changes (
    change_id text NOT NULL,
    script_hash text,
    change text NOT NULL,
    project text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    committed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    committer_name text NOT NULL,
    committer_email text NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    planner_name text NOT NULL,
    planner_email text NOT NULL
);

INSERT INTO sqitch.changes VALUES ('60f66cfa66397257549e935318efb58c1c7f1cd9', 'd5f5c3f311f55278d8b1987484ec089bba123ec5', 'users', 'app', 'users', '2026-11-29 14:36:27.892304+00', 'Al', 'a@b', '2026-11-29 14:36:25+00', 'Al', 'a@b');

ALTER TABLE ONLY sqitch.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (change_id);
