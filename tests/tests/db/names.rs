//! Each keyword as each kind of name: the build's judgement of `POSITIONS` times `pg_get_keywords()` is the server's.

use std::collections::{BTreeSet, HashSet};

use migrate_source::syntax::check_all;
use migrate_tests::database::{FreshDatabase, value};
use tokio_postgres::Client;

/// Statements with a name at `@`.
const POSITIONS: &[&str] = &[
    "CREATE TABLE @ (a int)",
    "CREATE TABLE s.@ (a int)",
    "CREATE TABLE @.t (a int)",
    "CREATE TABLE n (@ int)",
    "CREATE TABLE n (a int, @ int NOT NULL)",
    "CREATE TABLE n (a @)",
    "CREATE TABLE n (a s.@)",
    "CREATE TABLE n (a int, CONSTRAINT @ CHECK (a > 0))",
    "CREATE TABLE n (a int CONSTRAINT @ NOT NULL)",
    "CREATE TABLE n (a int, UNIQUE (@))",
    "CREATE TABLE n (a int, PRIMARY KEY (a, @))",
    "CREATE TABLE n (a int REFERENCES @)",
    "CREATE TABLE n (a int REFERENCES b (@))",
    "CREATE TABLE n (a int, FOREIGN KEY (@) REFERENCES b)",
    "CREATE TABLE n (a int DEFAULT @())",
    "CREATE TABLE n (a text COLLATE @)",
    "CREATE TABLE n (a int) INHERITS (@)",
    "CREATE TABLE n (a int) TABLESPACE @",
    "CREATE TABLE n PARTITION OF @ DEFAULT",
    "CREATE TABLE n (a int) PARTITION BY range (@)",
    "CREATE TABLE @ AS SELECT 1 AS a",
    "CREATE TABLE n (@) AS SELECT 1",
    "ALTER TABLE @ ADD a int",
    "ALTER TABLE t ADD COLUMN @ int",
    "ALTER TABLE t DROP COLUMN @",
    "ALTER TABLE t DROP COLUMN IF EXISTS @",
    "ALTER TABLE t ALTER COLUMN @ SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN @ TYPE int",
    "ALTER TABLE t RENAME COLUMN @ TO b",
    "ALTER TABLE t RENAME COLUMN a TO @",
    "ALTER TABLE t RENAME TO @",
    "ALTER TABLE t ADD CONSTRAINT @ CHECK (a > 0)",
    "ALTER TABLE t DROP CONSTRAINT @",
    "ALTER TABLE t RENAME CONSTRAINT @ TO b",
    "ALTER TABLE t RENAME CONSTRAINT a TO @",
    "ALTER TABLE t VALIDATE CONSTRAINT @",
    "ALTER TABLE t OWNER TO @",
    "ALTER TABLE t SET SCHEMA @",
    "ALTER TABLE t ATTACH PARTITION @ DEFAULT",
    "ALTER TABLE t DETACH PARTITION @",
    "ALTER TABLE t ENABLE TRIGGER @",
    "ALTER TABLE t CLUSTER ON @",
    "ALTER TABLE t REPLICA IDENTITY USING INDEX @",
    "DROP TABLE @",
    "DROP TABLE IF EXISTS a, @",
    "TRUNCATE @",
    "CREATE INDEX @ ON t (a)",
    "CREATE INDEX i ON @ (a)",
    "CREATE INDEX i ON t (@)",
    "CREATE INDEX i ON t (@(a))",
    "CREATE INDEX i ON t USING @ (a)",
    "CREATE INDEX i ON t (a @)",
    "CREATE INDEX i ON t (a) INCLUDE (@)",
    "DROP INDEX @",
    "ALTER INDEX @ RENAME TO b",
    "ALTER INDEX i RENAME TO @",
    "CREATE VIEW @ AS SELECT 1 AS a",
    "CREATE VIEW v (@) AS SELECT 1",
    "DROP VIEW @",
    "CREATE MATERIALIZED VIEW @ AS SELECT 1 AS a",
    "REFRESH MATERIALIZED VIEW @",
    "CREATE SCHEMA @",
    "CREATE SCHEMA IF NOT EXISTS @",
    "CREATE SCHEMA s AUTHORIZATION @",
    "DROP SCHEMA @",
    "ALTER SCHEMA @ RENAME TO b",
    "CREATE SEQUENCE @",
    "ALTER SEQUENCE @ RESTART",
    "DROP SEQUENCE @",
    "CREATE EXTENSION @",
    "CREATE EXTENSION IF NOT EXISTS @",
    "CREATE EXTENSION e SCHEMA @",
    "DROP EXTENSION @",
    "CREATE TYPE @ AS ENUM ('a')",
    "CREATE TYPE c AS (@ int)",
    "ALTER TYPE @ ADD VALUE 'a'",
    "DROP TYPE @",
    "CREATE DOMAIN @ AS int",
    "CREATE DOMAIN d AS int CONSTRAINT @ CHECK (VALUE > 0)",
    "DROP DOMAIN @",
    "CREATE ROLE @",
    "DROP ROLE @",
    "ALTER ROLE @ NOLOGIN",
    "GRANT @ TO b",
    "GRANT a TO @",
    "GRANT SELECT ON @ TO b",
    "GRANT SELECT ON t TO @",
    "GRANT SELECT (@) ON t TO b",
    "GRANT USAGE ON SCHEMA @ TO b",
    "REVOKE ALL ON t FROM @",
    "CREATE POLICY @ ON t USING (true)",
    "CREATE POLICY p ON @ USING (true)",
    "CREATE POLICY p ON t TO @",
    "DROP POLICY @ ON t",
    "CREATE TRIGGER @ AFTER INSERT ON t EXECUTE FUNCTION f()",
    "CREATE TRIGGER g AFTER INSERT ON @ EXECUTE FUNCTION f()",
    "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION @()",
    "CREATE TRIGGER g AFTER UPDATE OF @ ON t EXECUTE FUNCTION f()",
    "DROP TRIGGER @ ON t",
    "CREATE RULE @ AS ON INSERT TO t DO NOTHING",
    "CREATE FUNCTION @() RETURNS int LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION s.@() RETURNS int LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f(@ int) RETURNS int LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f(a @) RETURNS int LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f(@) RETURNS int LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f() RETURNS @ LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f() RETURNS SETOF @ LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f() RETURNS TABLE (@ int) LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f() RETURNS TABLE (a int, @ int) LANGUAGE sql AS 'select 1'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE @ AS 'select 1'",
    "DROP FUNCTION @",
    "DROP FUNCTION @()",
    "CREATE PROCEDURE @() LANGUAGE sql AS 'select 1'",
    "CALL @()",
    "CREATE PUBLICATION @ FOR ALL TABLES",
    "CREATE PUBLICATION p FOR TABLE @",
    "CREATE STATISTICS @ ON a, b FROM t",
    "CREATE SERVER @ FOREIGN DATA WRAPPER w",
    "CREATE COLLATION @ (locale = 'C')",
    "CREATE CAST (@ AS int) WITHOUT FUNCTION",
    "CREATE AGGREGATE @(int) (sfunc = f, stype = int)",
    "COMMENT ON TABLE @ IS 'x'",
    "COMMENT ON COLUMN t.@ IS 'x'",
    "COMMENT ON COLUMN @.c IS 'x'",
    "COMMENT ON CONSTRAINT @ ON t IS 'x'",
    "COMMENT ON SCHEMA @ IS 'x'",
    "SET @ = app",
    "SET @ TO app",
    "SET a.@ = app",
    "SET LOCAL @ = app",
    "SET search_path = @",
    "RESET @",
    "SHOW @",
    "SELECT @",
    "SELECT @ FROM t",
    "SELECT t.@ FROM t",
    "SELECT @.a FROM t",
    "SELECT 1 AS @",
    "SELECT 1 @",
    "SELECT a @ FROM t",
    "SELECT @(1)",
    "SELECT s.@(1)",
    "SELECT @ + 1 FROM t",
    "SELECT a::@ FROM t",
    "SELECT CAST(a AS @) FROM t",
    "SELECT 1 FROM @",
    "SELECT 1 FROM @ x",
    "SELECT 1 FROM s.@",
    "SELECT 1 FROM t @",
    "SELECT 1 FROM t AS @",
    "SELECT 1 FROM t AS x (@)",
    "SELECT 1 FROM t x JOIN @ ON true",
    "SELECT 1 FROM t JOIN u USING (@)",
    "SELECT 1 FROM @(1)",
    "SELECT 1 FROM t WHERE @ = 1",
    "SELECT 1 FROM t WHERE a = @",
    "SELECT 1 FROM t WHERE @ IS NULL",
    "SELECT 1 FROM t WHERE @ IN (1)",
    "SELECT 1 FROM t WHERE a AND @",
    "SELECT 1 FROM t GROUP BY @",
    "SELECT 1 FROM t GROUP BY a, @",
    "SELECT 1 FROM t ORDER BY @",
    "SELECT 1 FROM t ORDER BY @ DESC",
    "SELECT sum(a) OVER @ FROM t WINDOW w AS ()",
    "SELECT sum(a) OVER w FROM t WINDOW @ AS ()",
    "WITH @ AS (SELECT 1) SELECT 1",
    "WITH c (@) AS (SELECT 1) SELECT 1",
    "INSERT INTO @ VALUES (1)",
    "INSERT INTO @ (a) VALUES (1)",
    "INSERT INTO t (@) VALUES (1)",
    "INSERT INTO t (a, @) VALUES (1, 2)",
    "INSERT INTO t (@, a) VALUES (1, 2)",
    "INSERT INTO t AS @ VALUES (1)",
    "INSERT INTO t VALUES (1) ON CONFLICT (@) DO NOTHING",
    "INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT @ DO NOTHING",
    "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET @ = 1",
    "INSERT INTO t VALUES (1) RETURNING @",
    "UPDATE @ SET a = 1",
    "UPDATE t SET @ = 1",
    "UPDATE t SET a = 1, @ = 2",
    "UPDATE t SET (a, @) = (1, 2)",
    "UPDATE t @ SET a = 1",
    "UPDATE t SET a = @",
    "DELETE FROM @",
    "DELETE FROM t @ WHERE true",
    "DELETE FROM t USING @ WHERE true",
    "COPY @ FROM '/x'",
    "COPY t (@) FROM '/x'",
    "LOCK TABLE @",
    "ANALYZE @",
    "ANALYZE t (@)",
    "PREPARE @ AS SELECT 1",
    "EXECUTE @",
    "DECLARE @ CURSOR FOR SELECT 1",
    "SAVEPOINT @",
    "LISTEN @",
    "NOTIFY @",
];

/// Where the build's judgement still differs, mostly by accepting what the server refuses: words with a syntax of
/// their own, which the parser reads as that.
const KNOWN: &[(&str, &str)] = &[
    ("ALTER ROLE @ NOLOGIN", "all group"),
    ("CREATE CAST (@ AS int) WITHOUT FUNCTION", "setof"),
    ("CREATE FUNCTION f() RETURNS SETOF @ LANGUAGE sql AS 'select 1'", "array setof window"),
    ("CREATE FUNCTION f(@) RETURNS int LANGUAGE sql AS 'select 1'", "setof"),
    ("CREATE FUNCTION f(a @) RETURNS int LANGUAGE sql AS 'select 1'", "setof array"),
    (
        "CREATE INDEX i ON t (@(a))",
        "all any array bit char character current_catalog current_date current_role current_time current_timestamp current_user dec decimal float grouping localtime localtimestamp national nchar nullif numeric row session_user some user varchar",
    ),
    ("CREATE TABLE n (a @)", "setof"),
    (
        "CREATE TABLE n (a int DEFAULT @())",
        "array bit char character coalesce current_catalog current_date current_role current_time current_timestamp current_user dec decimal float greatest grouping least localtime localtimestamp national nchar normalize nullif numeric session_user user varchar xmlconcat substring",
    ),
    ("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION @()", "overlay operator"),
    ("DELETE FROM t @ WHERE true", "set"),
    ("DROP DOMAIN @", "setof"),
    ("DROP TYPE @", "setof"),
    ("GRANT @ TO b", "all current_role current_user session_user"),
    ("INSERT INTO t VALUES (1) ON CONFLICT (@) DO NOTHING", "default false null true"),
    ("SELECT 1 @", "in"),
    ("SELECT 1 FROM @ x", "lateral"),
    (
        "SELECT 1 FROM @(1)",
        "bit char character current_catalog current_date current_role current_user dec decimal exists extract float grouping national nchar nullif numeric position row session_user user varchar xmlelement xmlexists xmlparse xmlpi xmlroot xmlserialize",
    ),
    ("SELECT 1 FROM t @", "as"),
    ("SELECT 1 FROM t GROUP BY @", "all"),
    ("SELECT @", "distinct"),
    ("SELECT @ FROM t", "distinct"),
    (
        "SELECT @(1)",
        "any array bit char character current_catalog current_date current_role current_user dec decimal float national nchar nullif numeric session_user some user varchar",
    ),
    (
        "SELECT @.a FROM t",
        "current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime localtimestamp session_user user",
    ),
    ("SELECT CAST(a AS @) FROM t", "setof"),
    ("SELECT a @ FROM t", "in"),
    ("SELECT a::@ FROM t", "setof"),
    (
        "SET search_path = @",
        "current_catalog current_date current_role current_time current_timestamp current_user localtime localtimestamp null session_user user",
    ),
];

/// Keywords that not every supported server has. On the others they are any name, and the build, which does not know
/// the version, accepts them as that.
const NEWER: &str = "graph_table json json_array json_arrayagg json_exists json_object json_objectagg json_query \
                     json_scalar json_serialize json_table json_value merge_action system_user";

/// Whether the server can parse `sql`, which it does not run.
async fn parses(client: &Client, sql: &str) -> bool {
    let answer = client.simple_query(&format!("SELECT 1/0; {sql}")).await;
    let error = answer.expect_err("the division runs first");
    error.code().map_or("", |code| code.code()) == "22012"
}

#[tokio::test]
async fn keywords_are_names_where_the_server_takes_them() {
    let (_database, client) = FreshDatabase::connected().await;
    let words = "SELECT string_agg(word, ' ' ORDER BY word) FROM pg_get_keywords()";
    let words = value(&client, words).await;
    let words: BTreeSet<&str> = words.split(' ').chain(NEWER.split(' ')).collect();
    let mut statements = Vec::new();
    for position in POSITIONS {
        assert!(parses(&client, &position.replace('@', "x")).await, "{position}");
        statements.extend(words.iter().map(|word| (*position, *word, position.replace('@', word))));
    }
    let refused = check_all(statements.iter().map(|(.., sql)| sql.as_str()));
    let refused: HashSet<usize> = refused.into_iter().map(|one| one.0).collect();
    let mut wrong = Vec::new();
    for (index, (position, word, sql)) in statements.iter().enumerate() {
        let is_known = |(at, words): &(&str, &str)| {
            at == position && words.split(' ').any(|known| known == *word)
        };
        let (server, build) = (parses(&client, sql).await, !refused.contains(&index));
        let is_newer = NEWER.split(' ').any(|newer| newer == *word);
        if server != build && !(build && is_newer) && !KNOWN.iter().any(is_known) {
            wrong.push(format!("{sql}: {}", if server { "refused" } else { "accepted" }));
        }
    }
    // The build's grammar and the table of what is known are of one version; others have other keywords,
    // and take some in other positions.
    let version = value(&client, "SHOW server_version_num").await;
    let limit = if version.starts_with("15") { 0 } else { statements.len() / 100 };
    let shown = wrong.join("\n");
    assert!(wrong.len() <= limit, "{} of {}:\n{shown}", wrong.len(), statements.len());
}
