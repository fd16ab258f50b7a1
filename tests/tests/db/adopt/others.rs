//! Any table by its columns, files that were removed, and what the rows of some tools leave open.

use migrate_runtime::adopt::{Adopt, Algorithm, AnyTable};
use migrate_runtime::{Migrations, Migrator};
use migrate_source::check::{SetOptions, SourceFile, check};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::sets::set;

use super::{A, B, C, ENTRIES, SQLX, adopts, quoted, refuses, sqlx_row, three};

/// SHA-1 of `A` and of `B`, which the server cannot compute.
const SHA1_A: &str = "4f45642ec931df92e13364b7a3d95eb876d756b7";
const SHA1_B: &str = "3c32e14b8b0b8215dab4f5d22d74f1265003c9b0";

fn sha256(text: &str) -> String {
    format!("encode(sha256({}), 'hex')", quoted(text))
}

/// Drizzle 0.x keeps no names.
fn drizzle(texts: &[&str]) -> String {
    let table = "CREATE TABLE __drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);";
    let rows = texts.iter().map(|text| {
        format!("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ({}, 1);", sha256(text))
    });
    [table.to_owned()].into_iter().chain(rows).collect()
}

#[tokio::test]
async fn any_table_is_adopted_by_its_columns() {
    let history = format!(
        "CREATE TABLE history (\"The file\" text, sum text, ok bool, at timestamptz);\
         INSERT INTO history VALUES ('db/2_b.sql', {}, true, '2024-01-02 12:00Z'), \
         ('1_a.sql', upper({}), true, '2024-01-01 12:00Z'), ('3_c.sql', 'x', false, '2024-01-03 12:00Z');",
        sha256(B),
        sha256(A)
    );
    let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    let table = AnyTable::new("history").key("The file").checksum("sum", Algorithm::Sha256);
    let table = table.time("at").only("ok");
    let expected = "1:verified:2024-01-01T12:00:me:0 2:verified:2024-01-02T12:00:me:0";
    adopts(&set, &history, table.clone(), (expected, 1)).await;
    let error = refuses(&three_edited(), &history, table).await.to_string();
    let edited = "`public.history` cannot be adopted from its tool:\nmigrations/1_a.sql differs from what was applied: SHA-256 ";
    assert!(error.starts_with(edited), "{error}");
}

fn three_edited() -> Migrations {
    set(&[("1_a.sql", "CREATE TABLE a (id bigint);\n"), ("2_b.sql", B), ("3_c.sql", C)])
}

/// As the set has it: a version, a name, or a checksum alone; without a time, in the set's order.
#[tokio::test]
async fn key_of_any_table_can_be_a_version_a_name_or_a_checksum() {
    let set = three(["0009_a.sql", "0010_b.sql", "0011_c.sql"]);
    let expected = "0009:unverified:now:me:0 0010:unverified:now:me:0";
    for key in ["(10), (9)", "('b'), ('a')", "('/0010_b'), ('/0009_a')"] {
        let history = format!("CREATE TABLE history AS SELECT * FROM (VALUES {key}) AS v (key);");
        adopts(&set, &history, AnyTable::new("history").key("key"), (expected, 1)).await;
    }
    let history = format!(
        "CREATE TABLE history AS SELECT sha256(x) AS sum FROM unnest(ARRAY[{}, {}]) x;",
        quoted(B),
        quoted(A)
    );
    let table = AnyTable::new("history").checksum("sum", Algorithm::Sha256);
    let expected = "0009:verified:now:me:0 0010:verified:now:me:0";
    adopts(&set, &history, table, (expected, 1)).await;
}

/// What the tool's table has is in each file: a version is found as it is written there or shorter.
#[tokio::test]
async fn any_table_leads_to_converted_files_by_what_their_tool_had() {
    let texts = [A, B].into_iter().zip(1..);
    let texts = texts.map(|(text, n)| format!("-- migrate:from goose 0000{n}\n{text}"));
    let files = ["10_a.sql", "20_b.sql"].into_iter().zip(texts);
    let files = files.map(|(name, text)| SourceFile::new(name, text)).collect::<Vec<_>>();
    let set = check("migrations", &files, &SetOptions::default()).expect("a set").set;
    let table = || AnyTable::new("history").key("key");
    let history =
        "CREATE TABLE history AS VALUES (1), (2); ALTER TABLE history RENAME column1 TO key;";
    let expected = "10:unverified:now:me:0 20:unverified:now:me:0";
    adopts(&set, history, table(), (expected, 0)).await;
    let history = "CREATE TABLE history AS SELECT 'a' AS key;";
    assert_eq!(
        refuses(&set, history, table()).await.to_string(),
        "`public.history` cannot be adopted from its tool:\n\
         `a` is not in the set\n\
         migrations/10_a.sql was converted from goose, whose table has `00001` for it\n\
         help: adopt from the table of that tool, by the column that has such values\n\
         help: add the missing files to the folder, or use `.allow_missing()` to leave these rows out"
    );
}

#[tokio::test]
async fn table_of_another_tool_is_named_without_its_schema() {
    let set = three(["1_a.sql", "2_b.sql", "3_c.sql"]);
    let history = "CREATE SCHEMA meta; CREATE TABLE meta.history AS SELECT 1 AS key;";
    assert_eq!(
        refuses(&set, history, AnyTable::new("meta.history").key("key")).await.to_string(),
        "the name of a schema or table is both, with a dot between them\n\
         help: give each its own option, `.schema(..)` and `.table(..)`: `meta` and `history`"
    );
}

/// A name that two migrations have means neither.
#[tokio::test]
async fn ambiguous_key_is_refused() {
    let set = three(["1_a.sql", "2_a.sql", "3_c.sql"]);
    let history = "CREATE TABLE history AS SELECT 'a' AS key;";
    let error = refuses(&set, history, AnyTable::new("history").key("key")).await.to_string();
    assert!(error.contains("\n`a` is not in the set\n"), "{error}");
    let error = refuses(&set, history, AnyTable::new("history").key("id")).await.to_string();
    let expected = "`public.history` lacks a column that was named, or has it with another type: \
                    it has the columns key\nhelp: name the columns as the table has them";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn file_of_mixed_line_endings_is_verified() {
    let text = "CREATE TABLE a (id int);\r\nCREATE TABLE a2 (id int);\n";
    let file = SourceFile::new("1_a.sql", text);
    let set = check("migrations", &[file], &SetOptions::default()).expect("a set").set;
    let history = [SQLX, &sqlx_row(1, text, true)].concat();
    adopts(&set, &history, Adopt::Sqlx, ("1:verified:2024-05-01T12:00:me:12", 0)).await;
}

/// Without names, a text that the set does not have is of a removed file, and not of the file at its place.
#[tokio::test]
async fn removed_file_of_drizzle_can_be_left_out() {
    let set = set(&[("0001_b.sql", B), ("0002_c.sql", C)]);
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute(&drizzle(&[A, B, C])).await.expect("a history");
    let migrator = Migrator::new(&set);
    let adopt = || Adopt::Drizzle.schema("public");
    let error = migrator.adopt(&mut client, adopt()).await.expect_err("a removed file").to_string();
    assert!(error.contains("\na file with checksum "), "{error}");
    let report = migrator.allow_missing().adopt(&mut client, adopt()).await.expect("two");
    let left_out = |note: &String| note.ends_with(" is not in the set and was left out");
    assert!(report.notes.len() == 1 && report.notes.iter().all(left_out), "{report}");
    assert_eq!(value(&client, ENTRIES).await, "0001:verified:now:me:0 0002:verified:now:me:0");
}

/// Two files with one text are two migrations; an edited one is named by its place.
#[tokio::test]
async fn drizzle_is_adopted_without_names() {
    let custom = "SELECT 1;\n";
    let set = set(&[
        ("0000_a.sql", A),
        ("0001_x.sql", custom),
        ("0002_y.sql", custom),
        ("0003_c.sql", C),
    ]);
    let adopt = || Adopt::Drizzle.schema("public");
    let expected = "0000:verified:now:me:0 0001:verified:now:me:0 0002:verified:now:me:0";
    adopts(&set, &drizzle(&[A, custom, custom]), adopt(), (expected, 1)).await;
    let error = refuses(&set, &drizzle(&[B, custom, custom]), adopt()).await.to_string();
    assert!(
        error.contains("\nmigrations/0000_a.sql differs from what was applied: SHA-256 "),
        "{error}"
    );
}

/// As the real tool left it: `resolve --applied` adds a row; what failed and was not resolved stays.
#[tokio::test]
async fn prisma_has_rows_that_do_not_count() {
    let row = |name: &str, text: &str, finished: &str, rolled_back: &str| {
        format!(
            "INSERT INTO _prisma_migrations (checksum, migration_name, started_at, finished_at, rolled_back_at) \
             VALUES ({}, '{name}', '2024-01-01 12:00Z', {finished}, {rolled_back});",
            sha256(text)
        )
    };
    let table = "CREATE TABLE _prisma_migrations (id serial, checksum text, finished_at timestamptz, \
                 migration_name text, rolled_back_at timestamptz, started_at timestamptz);";
    let at = "'2024-01-01 12:01Z'";
    let history =
        [table, &row("1_a", B, "NULL", at), &row("1_a", A, at, "NULL"), &row("2_b", B, "NULL", at)]
            .concat();
    let set = three(["1_a/migration.sql", "2_b/migration.sql", "3_c/migration.sql"]);
    let expected = "1:verified:2024-01-01T12:01:me:0";
    adopts(&set, &history, Adopt::Prisma, (expected, 2)).await;
    let failed = [&history, &*row("3_c", C, "NULL", "NULL")].concat();
    let error = refuses(&set, &failed, Adopt::Prisma).await.to_string();
    assert!(error.contains("\n`3_c` failed and was not fixed\n"), "{error}");
}

/// A reworked change has one row for each of its scripts.
#[tokio::test]
async fn sqitch_has_two_changes_of_one_name() {
    let history = "CREATE TABLE changes (change text, script_hash text, project text, committed_at timestamptz, \
                   committer_name text);\
                   INSERT INTO changes VALUES ('users', 'SHA1_A', 'app', '2024-01-01 12:00Z', 'Al'), \
                   ('users', 'SHA1_B', 'app', '2024-01-02 12:00Z', 'Al'), \
                   ('other', 'x', 'another', '2024-01-02 12:00Z', 'Al');";
    let history = history.replace("SHA1_A", SHA1_A).replace("SHA1_B", SHA1_B);
    let set = three(["1_users_v1.sql", "2_users.sql", "3_c.sql"]);
    let expected = "1:verified:2024-01-01T12:00:Al:0 2:verified:2024-01-02T12:00:Al:0";
    let adopt = Adopt::Sqitch.schema("public").module("app");
    adopts(&set, &history, adopt, (expected, 1)).await;
    let error = refuses(&set, &history, Adopt::Sqitch.schema("public")).await.to_string();
    assert!(error.contains("\n`other` is not in the set\n"), "{error}");
}

#[tokio::test]
async fn alembic_with_several_heads_is_refused() {
    let set = three(["1_aa_a.sql", "2_bb_b.sql", "3_cc_c.sql"]);
    let history = "CREATE TABLE alembic_version (version_num text);\
                   INSERT INTO alembic_version VALUES ('aa'), ('bb');";
    assert_eq!(
        refuses(&set, history, Adopt::Alembic).await.to_string(),
        "`public.alembic_version` cannot be adopted from Alembic:\n\
         `aa` is one of several branches\n\
         `bb` is one of several branches\n\
         help: first merge the branches, with the other tool"
    );
}
