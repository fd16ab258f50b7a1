//! What the checks look at: objects of every kind, with their options, and what is easily missed.

use super::*;

#[test]
fn every_kind_of_object_is_looked_at() {
    let nothing = "SELECT 1";
    for (up, object) in [
        ("CREATE SCHEMA s", "left behind: schema s"),
        ("CREATE TYPE e AS ENUM ('a', 'b')", "left behind: type public.e: owner "),
        ("CREATE DOMAIN d AS int NOT NULL", "left behind: type public.d"),
        ("CREATE TYPE c AS (x int)", "left behind: type public.c"),
        ("CREATE TYPE r AS RANGE (subtype = int)", "left behind: type public.r"),
        (
            "ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0)",
            "left behind: constraint k on public.t: CHECK ((id > 0))",
        ),
        ("CREATE SEQUENCE s INCREMENT 3", "left behind: sequence public.s"),
        ("CREATE VIEW v AS SELECT 1 AS one", "left behind: view public.v"),
        (
            "CREATE MATERIALIZED VIEW v AS SELECT 1 AS one",
            "left behind: materialized view public.v",
        ),
        (
            "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "left behind: function public.f(a integer)",
        ),
        ("CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1'", "left behind: procedure public.f()"),
        (
            "CREATE AGGREGATE f (int) (SFUNC = int4pl, STYPE = int)",
            "left behind: aggregate public.f(integer)",
        ),
        (
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "left behind: trigger g on public.t",
        ),
        ("CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING", "left behind: rule r on public.t"),
        (
            "CREATE POLICY p ON t FOR SELECT USING (id > 1)",
            "left behind: policy p on public.t: permissive select to public using (id > 1)",
        ),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "changed: table public.t\n  before: owner "),
        ("GRANT SELECT ON t TO PUBLIC", "=r/"),
        (
            "GRANT UPDATE (a) ON t TO PUBLIC",
            "changed: column public.t.a\n  before: text\n  now: text granted =w/",
        ),
        ("COMMENT ON COLUMN t.a IS 'hm'", "left behind: comment on column a of table public.t: hm"),
        ("COMMENT ON SCHEMA public IS 'hm'", "comment on schema public"),
        (
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
            "left behind: default privileges of ",
        ),
        ("CREATE STATISTICS s ON id, a FROM t", "left behind: statistics public.s"),
        ("ALTER TABLE t ALTER a SET STORAGE EXTERNAL", "now: text storage e"),
        ("ALTER TABLE t SET (fillfactor = 70)", "with fillfactor=70"),
        ("ALTER TABLE t REPLICA IDENTITY FULL", "replica identity f"),
        ("CLUSTER t USING t_pkey", "clustered on"),
        ("CREATE COLLATION c (locale = 'C')", "left behind: collation public.c"),
        (
            "CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq)",
            "left behind: operator public.===(integer,integer)",
        ),
        ("CREATE CAST (text AS int) WITH INOUT", "left behind: cast "),
        ("CREATE FOREIGN DATA WRAPPER w", "left behind: foreign-data wrapper w"),
        ("CREATE PUBLICATION p FOR TABLE t", "left behind: publication p"),
        (
            "CREATE TEXT SEARCH CONFIGURATION c (PARSER = default)",
            "left behind: text search configuration public.c",
        ),
        (
            "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION e()",
            "left behind: event trigger e",
        ),
    ] {
        holds(up, nothing, object);
    }
}

/// Statements, how the report shows what each leaves, and the statement that undoes it.
const EASILY_MISSED: [(&str, &str, &str); 26] = [
    (
        "CREATE PUBLICATION p; ALTER PUBLICATION p OWNER TO pg_monitor",
        "left behind: publication p: puballtables false, pubdelete true, ",
        "DROP PUBLICATION p",
    ),
    ("CREATE PUBLICATION p2 FOR TABLE t", "left behind: publication p2: ", "DROP PUBLICATION p2"),
    (
        "ALTER PUBLICATION kept SET (publish = 'insert')",
        "now: puballtables false, pubdelete false, pub",
        "ALTER PUBLICATION kept SET (publish = 'insert, update, delete, truncate')",
    ),
    (
        "ALTER PUBLICATION kept ADD TABLE t",
        "left behind: publication relation public.t in publication kept",
        "ALTER PUBLICATION kept DROP TABLE t",
    ),
    (
        "ALTER TABLE t REPLICA IDENTITY NOTHING",
        "replica identity n",
        "ALTER TABLE t REPLICA IDENTITY DEFAULT",
    ),
    (
        "ALTER TABLE t SET (toast.autovacuum_enabled = off)",
        "toast with autovacuum_enabled=off",
        "ALTER TABLE t RESET (toast.autovacuum_enabled)",
    ),
    (
        "ALTER STATISTICS st SET STATISTICS 7; ALTER STATISTICS st OWNER TO pg_monitor",
        "; owner pg_monitor; statistics 7",
        "ALTER STATISTICS st SET STATISTICS -1; ALTER STATISTICS st OWNER TO CURRENT_USER",
    ),
    (
        "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 9",
        "statistics of column 1 9",
        "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS -1",
    ),
    (
        "ALTER SERVER srv OWNER TO pg_monitor",
        "srvowner pg_monitor",
        "ALTER SERVER srv OWNER TO CURRENT_USER",
    ),
    (
        "ALTER FOREIGN DATA WRAPPER w OPTIONS (a '1')",
        "fdwoptions a=1",
        "ALTER FOREIGN DATA WRAPPER w OPTIONS (DROP a)",
    ),
    (
        "CREATE USER MAPPING FOR pg_monitor SERVER srv OPTIONS (password 's3cret')",
        "left behind: user mapping pg_monitor on server srv: umoptions password ",
        "DROP USER MAPPING FOR pg_monitor SERVER srv",
    ),
    (
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) TO pg_monitor",
        "left behind: grants on function pg_sleep(double precision): ",
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM pg_monitor",
    ),
    (
        "GRANT SELECT ON pg_catalog.pg_statistic TO pg_monitor",
        "left behind: grants on table pg_statistic: ",
        "REVOKE SELECT ON pg_catalog.pg_statistic FROM pg_monitor",
    ),
    (
        "GRANT CREATE ON SCHEMA pg_catalog TO pg_monitor",
        "changed: schema pg_catalog\n",
        "REVOKE CREATE ON SCHEMA pg_catalog FROM pg_monitor",
    ),
    (
        "ALTER FUNCTION f() DEPENDS ON EXTENSION plpgsql",
        "left behind: function public.f() depends on extension plpgsql",
        "ALTER FUNCTION f() NO DEPENDS ON EXTENSION plpgsql",
    ),
    (
        "GRANT USAGE ON TYPE pair TO pg_monitor",
        "type granted ",
        "REVOKE USAGE ON TYPE pair FROM pg_monitor",
    ),
    (
        "GRANT USAGE ON SEQUENCE n_id_seq TO pg_monitor",
        "pg_monitor=U/",
        "REVOKE USAGE ON SEQUENCE n_id_seq FROM pg_monitor",
    ),
    (
        "ALTER TABLE n DISABLE TRIGGER ALL",
        "triggers on public.n enabled D",
        "ALTER TABLE n ENABLE TRIGGER ALL",
    ),
    ("CREATE TABLE typed OF pair", "; of public.pair", "DROP TABLE typed"),
    ("CREATE DOMAIN d AS text COLLATE \"C\"", "domain text collate \"C\"", "DROP DOMAIN d"),
    (
        "CREATE ACCESS METHOD am TYPE INDEX HANDLER bthandler",
        "left behind: access method am: amhandler bthandler, amtype i",
        "DROP ACCESS METHOD am",
    ),
    (
        "CREATE TRANSFORM FOR pair LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
        "left behind: transform ",
        "DROP TRANSFORM FOR pair LANGUAGE sql",
    ),
    (
        "ALTER TEXT SEARCH CONFIGURATION ts ADD MAPPING FOR word WITH simple",
        "mapped 2 simple",
        "ALTER TEXT SEARCH CONFIGURATION ts DROP MAPPING FOR word",
    ),
    (
        "ALTER OPERATOR FAMILY fam USING btree ADD FUNCTION 1 (int, int) btint4cmp(int, int)",
        "left behind: function of access method function 1 (integer, integer) of public.fam USING btree: \
         amproc btint4cmp(integer,integer)",
        "ALTER OPERATOR FAMILY fam USING btree DROP FUNCTION 1 (int, int)",
    ),
    (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 77', current_database()); END $$",
        "left behind: setting of the database work_mem=77",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET work_mem', current_database()); END $$",
    ),
    (
        "COMMENT ON EXTENSION plpgsql IS 'ours'",
        "changed: comment on extension plpgsql\n",
        "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language'",
    ),
];

const ALTERED: (&str, &str) = (
    "CREATE PUBLICATION kept; CREATE STATISTICS st ON id, a FROM t; CREATE INDEX i ON t ((lower(a)));\
     CREATE FOREIGN DATA WRAPPER w; CREATE SERVER srv FOREIGN DATA WRAPPER w;\
     CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE pair AS (x int, y int);\
     CREATE TABLE n (id int GENERATED ALWAYS AS IDENTITY, t int REFERENCES t);\
     CREATE TEXT SEARCH CONFIGURATION ts (PARSER = default); CREATE OPERATOR FAMILY fam USING btree",
    "DROP OPERATOR FAMILY fam USING btree; DROP TEXT SEARCH CONFIGURATION ts; DROP TABLE n; DROP TYPE pair;\
     DROP FUNCTION f; DROP SERVER srv; DROP FOREIGN DATA WRAPPER w; DROP INDEX i; DROP STATISTICS st;\
     DROP PUBLICATION kept",
);

#[test]
fn what_is_easily_missed_is_looked_at_and_can_be_undone() {
    for half in EASILY_MISSED.chunks(10) {
        let up: Vec<&str> = half.iter().map(|(up, _, _)| *up).collect();
        let seen = report(&[ALTERED, (&up.join(";\n"), "SELECT 1")]);
        assert!(!seen.contains("s3cret"), "{seen}");
        for (up, shown, _) in half {
            assert!(seen.contains(shown), "{up}: {seen}");
        }
        let down: Vec<&str> = half.iter().rev().map(|(_, _, down)| *down).collect();
        assert_eq!(report(&[ALTERED, (&up.join(";\n"), &down.join(";\n"))]), "");
    }
}

/// `DROP SUBSCRIPTION` cannot run in a transaction.
#[test]
fn subscription_is_looked_at_and_its_connection_is_not_shown() {
    let create = |publications: &str| {
        format!(
            "CREATE SUBSCRIPTION s CONNECTION 'dbname=x password=s3cret' PUBLICATION {publications} \
             WITH (connect = false, slot_name = NONE)"
        )
    };
    let seen = report(&[(&create("a, b"), "SELECT 1")]);
    assert!(seen.contains("left behind: subscription s: sub"), "{seen}");
    assert!(seen.contains("subpublications [\"a\", \"b\"]"), "{seen}");
    assert!(!seen.contains("s3cret"), "{seen}");
}

/// Since PostgreSQL 15 a publication has parts of tables, and whole schemas.
#[tokio::test]
async fn columns_filters_and_schemas_of_publications_are_looked_at() {
    let database = TestDatabase::empty().expect("a database");
    let client = database.connect().await.expect("a client");
    if value(&client, "SELECT current_setting('server_version_num')::int < 150000").await == "t" {
        return;
    }
    let made = (
        "CREATE PUBLICATION p FOR TABLE t (id, a) WHERE (id > 1); CREATE PUBLICATION s FOR TABLES IN SCHEMA public",
        "DROP PUBLICATION p; DROP PUBLICATION s",
    );
    assert_eq!(report(&[made]), "");
    for (up, down, shown) in [
        (
            "ALTER PUBLICATION p SET TABLE t (id) WHERE (id > 1)",
            "ALTER PUBLICATION p SET TABLE t (id, a) WHERE (id > 1)",
            "changed: publication relation public.t in publication p\n  before: prattrs a, id, prqual (id > 1)\n  \
             now: prattrs id, prqual (id > 1)",
        ),
        (
            "ALTER PUBLICATION p SET TABLE t WHERE (id > 2)",
            "ALTER PUBLICATION p SET TABLE t (id, a) WHERE (id > 1)",
            "\n  now: prqual (id > 2)",
        ),
        (
            "ALTER PUBLICATION s DROP TABLES IN SCHEMA public",
            "ALTER PUBLICATION s ADD TABLES IN SCHEMA public",
            "missing: publication namespace public in publication s",
        ),
    ] {
        let seen = report(&[made, (up, "SELECT 1")]);
        assert!(seen.contains(shown), "{up}: {seen}");
        assert_eq!(report(&[made, (up, down)]), "", "{up}");
    }
}

#[tokio::test]
async fn tablespace_of_an_index_is_looked_at() {
    let database = FreshDatabase::create().await;
    let (client, space) = (database.connect().await, format!("space_{}", database.name()));
    for sql in
        ["SET allow_in_place_tablespaces = on", &format!("CREATE TABLESPACE {space} LOCATION ''")]
    {
        client.batch_execute(sql).await.expect(sql);
    }
    let seen = report(&[(&format!("ALTER INDEX t_pkey SET TABLESPACE {space}"), "SELECT 1")]);
    client.batch_execute(&format!("DROP TABLESPACE {space}")).await.expect("it is empty");
    assert!(seen.contains(&format!("tablespace {space}")), "{seen}");
}

/// PostgreSQL 15.20 adds a `pg_attver` to the options of each column. The test adds one on other servers, so that
/// each of them shows how the check handles it.
#[test]
fn option_that_the_server_writes_is_no_difference_and_one_of_the_user_is() {
    let options = |options: &str| {
        format!(
            "SET LOCAL allow_system_table_mods = on; UPDATE pg_attribute SET attoptions = '{options}' \
             WHERE attrelid = 't'::regclass AND attname = 'a'"
        )
    };
    let (seven, nine) = (options("{pg_attver=7}"), options("{pg_attver=9}"));
    assert_eq!(report(&[(&seven, &nine)]), "");
    check(
        &seven,
        &options("{pg_attver=9,n_distinct=5}"),
        "changed: column public.t.a\n  before: text\n  now: text with n_distinct=5",
    );
    check(
        "ALTER TABLE t ALTER a SET (n_distinct = 5, n_distinct_inherited = 6)",
        "ALTER TABLE t ALTER a RESET (n_distinct)",
        "changed: column public.t.a\n  before: text\n  now: text with n_distinct_inherited=6",
    );
    // Only the name itself belongs to the server.
    holds(&seven, &options("{pg_attver_x=7}"), "now: text with pg_attver_x=7");
}

/// What a type, a view and a column leave in the catalogs, on every server that the tests run on.
#[test]
fn types_views_and_columns_can_be_undone_on_every_server() {
    let pairs = [
        ("ALTER TABLE t ALTER COLUMN a TYPE varchar(50)", "ALTER TABLE t ALTER COLUMN a TYPE text"),
        ("ALTER TABLE t ALTER id TYPE bigint", "ALTER TABLE t ALTER id TYPE int"),
        ("CREATE VIEW v AS SELECT id FROM t", "DROP VIEW v"),
        ("ALTER TABLE t ADD COLUMN email text", "ALTER TABLE t DROP COLUMN email"),
        (
            "CREATE INDEX i ON t (a); CLUSTER t USING i; ANALYZE t",
            "ALTER TABLE t SET WITHOUT CLUSTER; DROP INDEX i",
        ),
    ];
    assert_eq!(report(&pairs), "");
}

/// A SET puts an option last, and the first GRANT writes out the default.
#[test]
fn order_of_options_and_spelt_out_defaults_are_no_differences() {
    let made = (
        "ALTER TABLE t SET (fillfactor = 70, autovacuum_enabled = off); CREATE FOREIGN DATA WRAPPER w; \
         CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE TRUSTED LANGUAGE l HANDLER plpgsql_call_handler",
        "DROP LANGUAGE l; DROP SERVER s; DROP FOREIGN DATA WRAPPER w; \
         ALTER TABLE t RESET (fillfactor, autovacuum_enabled)",
    );
    for (up, down) in [
        ("ALTER TABLE t SET (fillfactor = 60)", "ALTER TABLE t SET (fillfactor = 70)"),
        ("GRANT SELECT ON t TO PUBLIC", "REVOKE SELECT ON t FROM PUBLIC"),
        (
            "GRANT USAGE ON FOREIGN SERVER s TO PUBLIC",
            "REVOKE USAGE ON FOREIGN SERVER s FROM PUBLIC",
        ),
        ("REVOKE USAGE ON LANGUAGE l FROM PUBLIC", "GRANT USAGE ON LANGUAGE l TO PUBLIC"),
    ] {
        assert_eq!(report(&[made, (up, down)]), "", "{up}");
    }
}
