//! The schema of a set without a database is that of a server on which the set ran.

use migrate_source::check::{Begins, SetOptions, SourceFile, check_and_describe};
use migrate_tests::database::FreshDatabase;
use migrate_tests::static_schema::differences;

const FILES: [&str; 5] = [
    "CREATE SCHEMA billing; CREATE EXTENSION citext;
     CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN posint AS int CHECK (VALUE > 0);
     CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(80) UNIQUE NOT NULL, age int CHECK (age > 0 AND age < 200),
         at timestamptz(3) NOT NULL DEFAULT now(), tags text[] DEFAULT '{}', m mood DEFAULT 'ok', c char, b bit(3), f float,
         r real, d decimal(9, 2), t time, i interval, \"Order\" smallint, \"user\" posint[], j jsonb, n name, v varchar);
     CREATE TABLE billing.posts (id int GENERATED ALWAYS AS IDENTITY, author bigint REFERENCES users ON DELETE CASCADE,
         title text COLLATE \"C\", len int GENERATED ALWAYS AS (length(title)) STORED, PRIMARY KEY (id),
         CONSTRAINT uniq UNIQUE (title, author), EXCLUDE USING btree (title WITH =));",
    "CREATE INDEX ON users (lower(email), (age + 1)) WHERE age IS NOT NULL; CREATE UNIQUE INDEX u ON users (at DESC);
     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
     CREATE TRIGGER t BEFORE UPDATE OF email ON users FOR EACH ROW WHEN (new.age > 1) EXECUTE FUNCTION touch();
     CREATE POLICY p ON users USING (email = current_user); ALTER TABLE users ENABLE ROW LEVEL SECURITY;
     CREATE VIEW v AS SELECT u.id, count(*) AS n FROM users u JOIN billing.posts p ON p.author = u.id GROUP BY 1;
     CREATE MATERIALIZED VIEW mv AS SELECT id FROM users; CREATE INDEX ON mv (id);
     CREATE FUNCTION add(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT a + b'",
    "ALTER TYPE mood ADD VALUE 'happy' AFTER 'sad'",
    "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'; ALTER TYPE mood RENAME TO feeling;
     ALTER TABLE users RENAME TO people; ALTER TABLE people RENAME email TO mail; DROP TRIGGER t ON people;
     ALTER TABLE people ALTER age TYPE bigint, ALTER age SET NOT NULL, ALTER at DROP NOT NULL, DROP r, ADD s serial;
     ALTER INDEX u RENAME TO people_at; ALTER TABLE people RENAME CONSTRAINT users_pkey TO people_pkey;
     ALTER TABLE billing.posts SET SCHEMA public; ALTER SEQUENCE users_id_seq RENAME TO people_id;
     ALTER FUNCTION add(int, int) RENAME TO plus",
    "CREATE TABLE k (a int, b text); CREATE UNIQUE INDEX ki ON k (a);
     ALTER TABLE k ADD CONSTRAINT kk UNIQUE USING INDEX ki, ADD CHECK (a > 0), ADD FOREIGN KEY (a) REFERENCES k (a);
     CREATE TABLE copy (LIKE people); CREATE UNLOGGED TABLE un (a serial); CREATE SEQUENCE s; DROP TABLE un;
     CREATE TABLE part (id int, at date) PARTITION BY RANGE (at);
     CREATE TABLE part1 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
     CREATE TABLE child (extra int NOT NULL, b text) INHERITS (k);
     CREATE TABLE kin (a int); CREATE TABLE heir (a int, z int); ALTER TABLE heir INHERIT kin;
     ALTER TABLE kin RENAME TO parent;
     CREATE SCHEMA old; CREATE TABLE old.indexed (a text); CREATE INDEX ON old.indexed (lower(a));
     ALTER SCHEMA old RENAME TO new",
];

fn options() -> SetOptions {
    SetOptions { begins: Begins::Nothing, ..SetOptions::default() }
}

#[tokio::test]
async fn static_schema_is_that_of_the_server() {
    let (_database, client) = FreshDatabase::connected().await;
    let mut files = Vec::new();
    for (number, sql) in FILES.iter().enumerate() {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let path = format!("{}_a.sql", number + 1);
        files.push(SourceFile::new(path, *sql));
        let (_, schema) = check_and_describe("set", &files, &options()).expect("a valid set");
        let found = differences(&client, &schema).await;
        assert_eq!(found, [""; 0], "after file {}", number + 1);
        client.batch_execute("RESET search_path").await.expect("RESET");
    }
}

/// Sets in which a name that the server makes for a constraint is that of another constraint, or was.
const TAKEN: &str = "
    CREATE TABLE t (a int); CREATE TABLE u (a int CONSTRAINT t_a_check CHECK (a > 0)); ALTER TABLE t ADD CHECK (a > 0)
    CREATE TABLE u (a int CONSTRAINT t_a_check CHECK (a > 0)); DROP TABLE u; CREATE TABLE t (a int CHECK (a > 0))
    CREATE TABLE t (a int CHECK (a > 0)); ALTER TABLE t RENAME TO u; CREATE TABLE t (a int CHECK (a > 0))
    CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t); ALTER TABLE t RENAME TO u; CREATE TABLE t (b int REFERENCES u)
    CREATE TABLE u (a int CONSTRAINT t_pkey CHECK (a > 0)); CREATE TABLE t (a int PRIMARY KEY)
    CREATE TABLE u (a int CONSTRAINT t_a_idx CHECK (a > 0)); CREATE TABLE t (a int); CREATE INDEX ON t (a)
    CREATE TABLE u (a int CONSTRAINT c CHECK (a > 0)); ALTER TABLE u RENAME CONSTRAINT c TO t_a_check;
        CREATE TABLE t (a int CHECK (a > 0))
    CREATE SCHEMA s; CREATE TABLE s.u (a int CONSTRAINT t_a_check CHECK (a > 0)); CREATE TABLE t (a int CHECK (a > 0))
    CREATE SCHEMA s; CREATE TABLE s.u (a int CONSTRAINT t_a_check CHECK (a > 0)); ALTER TABLE s.u SET SCHEMA public;
        CREATE TABLE t (a int CHECK (a > 0))
    CREATE DOMAIN d AS int CONSTRAINT t_a_check CHECK (VALUE > 0); CREATE TABLE t (a int CHECK (a > 0))
    CREATE DOMAIN t_a AS int CHECK (VALUE > 0); CREATE TABLE t (a int CHECK (a > 0))
    CREATE TABLE u (a int CONSTRAINT t_a_check CHECK (a > 0)); CREATE DOMAIN t_a AS int CHECK (VALUE > 0);
        CREATE TABLE t (a int CHECK (a > 0))
    CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CONSTRAINT t_a_check CHECK (VALUE > 0);
        CREATE TABLE t (a int CHECK (a > 0))
    CREATE DOMAIN d AS int CONSTRAINT t_a_check CHECK (VALUE > 0); ALTER DOMAIN d DROP CONSTRAINT t_a_check;
        CREATE TABLE t (a int CHECK (a > 0))
    CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0); ALTER DOMAIN d RENAME CONSTRAINT c TO t_a_check;
        CREATE TABLE t (a int CHECK (a > 0))
    CREATE DOMAIN d AS int CONSTRAINT t_a_check CHECK (VALUE > 0); DROP DOMAIN d; CREATE TABLE t (a int CHECK (a > 0))
    CREATE SCHEMA s; CREATE DOMAIN s.d AS int CONSTRAINT t_a_check CHECK (VALUE > 0);
        ALTER DOMAIN s.d SET SCHEMA public; CREATE TABLE t (a int CHECK (a > 0))";

#[tokio::test]
async fn name_that_another_constraint_has_is_taken_as_on_the_server() {
    let sets = TAKEN.replace("\n        ", " ");
    let sets: Vec<&str> = sets.lines().map(str::trim).filter(|sql| !sql.is_empty()).collect();
    assert_eq!(sets.len(), 17);
    for sql in sets {
        let (_database, client) = FreshDatabase::connected().await;
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let files = [SourceFile::new("1_a.sql", sql)];
        let (_, schema) = check_and_describe("set", &files, &options()).expect("a valid set");
        let found = differences(&client, &schema).await;
        assert_eq!(found, [""; 0], "{sql}");
    }
}
