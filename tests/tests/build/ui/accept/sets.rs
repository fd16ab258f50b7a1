//! Sets of every layout and tool, and the migrations that the build reads from them.

use crate::ui::case::{Case, case};

/// A case, its layout, and a line for each of its migrations; `!` marks what runs without a
/// transaction.
pub const CASES: &[(Case, &str)] = &[
    (
        case(
            "numeric",
            &[
                ("001_users.sql", "SELECT 1; SELECT 'a;b';\n"),
                ("10_likes.sql", "SELECT 3"),
                ("2_posts.sql", "BEGIN;\nSELECT 2;\nCOMMIT;\n"),
                ("README.md", "# Not SQL"),
                (".hidden.sql", "VACUUM;"),
            ],
        ),
        r#"numeric
        001 [users] up: ["SELECT 1", "SELECT 'a;b'"]
        2 [posts] up: ["SELECT 2"]
        10 [likes] up: ["SELECT 3"]"#,
    ),
    (
        case(
            "functions",
            &[
                ("1_hash.sql", "-- migrate:function\n"),
                ("2_hash.sql", "-- migrate:function\n-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n"),
            ],
        ),
        r#"numeric
        1 [hash] up: [] and a function
        2 [hash] up: ["SELECT 1"] and a function down: ["SELECT 2"]"#,
    ),
    (
        case(
            "timestamp",
            &[("20250128_120000_users.sql", "SELECT 1;\n"), ("20250128_120001.sql", "SELECT 2;\n")],
        ),
        r#"timestamp
        20250128_120000 [users] up: ["SELECT 1"]
        20250128_120001 [] up: ["SELECT 2"]"#,
    ),
    (
        case(
            "flyway",
            &[
                ("R__views.sql", "SELECT 9;\n"),
                ("U1.2__users.sql", "SELECT -1;\n"),
                ("V1.10__posts and more.sql", "SELECT 2;\n"),
                ("V1.2__users.sql", "SELECT 1;\n"),
            ],
        ),
        r#"flyway
        1.2 [users] up: ["SELECT 1"] down: ["SELECT -1"]
        1.10 [posts and more] up: ["SELECT 2"]
        R__views [views] up: ["SELECT 9"]"#,
    ),
    (
        case(
            "pairs",
            &[
                ("1_users.down.sql", "SELECT -1;\n"),
                ("1_users.up.sql", "SELECT 1;\n"),
                ("2.up.sql", "SELECT 2;\n"),
            ],
        ),
        r#"numeric
        1 [users] up: ["SELECT 1"] down: ["SELECT -1"]
        2 [] up: ["SELECT 2"]"#,
    ),
    (
        case(
            "diesel",
            &[
                ("2024-01-01-000000_users/up.sql", "SELECT 1;\n"),
                ("2024-01-01-000000_users/down.sql", "SELECT -1;\n"),
                ("2024-01-02-000000_index/up.sql", "CREATE INDEX CONCURRENTLY i ON t (a);\n"),
                ("2024-01-02-000000_index/down.sql", "DROP INDEX CONCURRENTLY i;\n"),
                ("2024-01-02-000000_index/metadata.toml", "run_in_transaction = false\n"),
            ],
        ),
        r#"folders
        2024-01-01-000000 [users] up: ["SELECT 1"] down: ["SELECT -1"]
        2024-01-02-000000 [index] up: !["CREATE INDEX CONCURRENTLY i ON t (a)"] down: !["DROP INDEX CONCURRENTLY i"]"#,
    ),
    (
        case(
            "prisma",
            &[
                ("20240126184148_users/migration.sql", "SELECT 1;\n"),
                ("20240127184148_posts/migration.sql", "SELECT 2;\n"),
                ("20240127184148_posts/down.sql", "SELECT -2;\n"),
                ("migration_lock.toml", "provider = \"postgresql\"\n"),
            ],
        ),
        r#"prisma
        20240126184148 [users] up: ["SELECT 1"]
        20240127184148 [posts] up: ["SELECT 2"] down: ["SELECT -2"]"#,
    ),
    (
        case(
            "marks_of_other_tools",
            &[
                (
                    "1_node_pg_migrate.sql",
                    "-- Up Migration\nSELECT 1;\n\n-- Down Migration\nSELECT -1;\n",
                ),
                ("2_mybatis.sql", "-- // two\nSELECT 2;\n\n-- //@UNDO\nSELECT -2;\n"),
                ("3_sql_migrate.sql", "-- +migrate Up\nSELECT 3;\n-- +migrate Up\nSELECT 30;\n"),
                ("4_drizzle.sql", "SELECT 4\n--> statement-breakpoint\nSELECT 40\n"),
                ("5_bun.sql", "SELECT 5\n\n--bun:split\n\nSELECT 50\n"),
                ("6_tern.sql", "---- tern: disable-tx ----\nVACUUM;\n"),
            ],
        ),
        r#"numeric
        1 [node_pg_migrate] up: ["SELECT 1"] down: ["SELECT -1"]
        2 [mybatis] up: ["SELECT 2"] down: ["SELECT -2"]
        3 [sql_migrate] up: ["SELECT 3", "SELECT 30"]
        4 [drizzle] up: ["SELECT 4", "SELECT 40"]
        5 [bun] up: ["SELECT 5", "SELECT 50"]
        6 [tern] up: !["VACUUM"]"#,
    ),
    (
        case(
            "goose",
            &[
                (
                    "00001_users.sql",
                    concat!(
                        "-- +goose Up\n-- +goose StatementBegin\n",
                        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$;\n",
                        "-- +goose StatementEnd\nSELECT 2;\n",
                        "-- +goose Down\nDROP FUNCTION f;\n",
                    ),
                ),
                (
                    "00002_index.sql",
                    concat!(
                        "-- +goose NO TRANSACTION\n-- +goose Up\n",
                        "CREATE INDEX CONCURRENTLY i ON t (a);\nANALYZE t;\n",
                        "-- +goose Down\nDROP INDEX CONCURRENTLY i;\n",
                    ),
                ),
            ],
        )
        .arguments("\"goose\", names = off"),
        r#"numeric
        00001 [users] up: ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; $$", "SELECT 2"] down: ["DROP FUNCTION f"]
        00002 [index] up: !["CREATE INDEX CONCURRENTLY i ON t (a)", "ANALYZE t"] down: !["DROP INDEX CONCURRENTLY i"]"#,
    ),
    (
        case(
            "dbmate",
            &[
                (
                    "20240101000000_users.sql",
                    "-- migrate:up\nSELECT 1;\n\n-- migrate:down\nSELECT -1;\n",
                ),
                (
                    "20240102000000_index.sql",
                    concat!("-- migrate:up transaction:false\nVACUUM;\n", "-- migrate:down\n",),
                ),
            ],
        ),
        r#"timestamp
        20240101000000 [users] up: ["SELECT 1"] down: ["SELECT -1"]
        20240102000000 [index] up: !["VACUUM"]"#,
    ),
    (
        case(
            "tern",
            &[("001_users.sql", "SELECT 1;\n---- create above / drop below ----\nSELECT -1;\n")],
        ),
        r#"numeric
        001 [users] up: ["SELECT 1"] down: ["SELECT -1"]"#,
    ),
    (
        case(
            "sql_migrate",
            &[(
                "1_users.sql",
                "-- +migrate Up notransaction\nVACUUM;\n-- +migrate Down\nSELECT -1;\n",
            )],
        ),
        r#"numeric
        1 [users] up: !["VACUUM"] down: ["SELECT -1"]"#,
    ),
    (
        case("plain_words", &[("1_users.sql", "-- up\nSELECT 1;\n\n-- Down\nSELECT -1;\n")]),
        r#"numeric
        1 [users] up: ["SELECT 1"] down: ["SELECT -1"]"#,
    ),
    (
        case(
            "other_spellings_of_no_transaction",
            &[
                ("1_sqlx.sql", "-- no-transaction\nVACUUM;\n"),
                ("2_atlas.sql", "-- atlas:txmode none\nVACUUM;\n"),
                ("3_ours.sql", "-- a licence\n\n-- migrate:no-transaction\nVACUUM;\n"),
                ("4_ory.autocommit.up.sql", "VACUUM;\n"),
            ],
        ),
        r#"numeric
        1 [sqlx] up: !["VACUUM"]
        2 [atlas] up: !["VACUUM"]
        3 [ours] up: !["VACUUM"]
        4 [ory] up: !["VACUUM"]"#,
    ),
    (
        case(
            "empty_on_purpose",
            &[
                ("1_users.sql", "-- migrate:allow empty because it was folded into 2\n"),
                ("2_posts.sql", "SELECT 2;\n"),
            ],
        ),
        r#"numeric
        1 [users] up: []
        2 [posts] up: ["SELECT 2"]"#,
    ),
    (
        case("byte_order_mark", &[("1_users.sql", "\u{feff}-- migrate:up\nSELECT 1;\n")]),
        r#"numeric
        1 [users] up: ["SELECT 1"]"#,
    ),
    (
        case(
            "crlf",
            &[(
                "1_users.sql",
                "-- UP\r\nSELECT 1,\r\n  'a\r\nb';\r\n\r\n-- DOWN\r\nSELECT -1;\r\n",
            )],
        ),
        r#"numeric
        1 [users] up: ["SELECT 1,\\n  'a\\nb'"] down: ["SELECT -1"]"#,
    ),
    (
        case(
            "a_grown_history",
            &[
                ("1_users.sql", "-- UP\nSELECT 1;\n-- DOWN\nDROP TABLE (users;\n"),
                ("2_likes.sql", "-- nothing left\n"),
                ("2_posts.sql", "SELECT 2;\n"),
            ],
        )
        .arguments("\"a_grown_history\", down = unchecked, duplicates = by_name, empty = allow"),
        r#"numeric
        1 [users] up: ["SELECT 1"] down: ["DROP TABLE (users"]
        2_likes [likes] up: []
        2_posts [posts] up: ["SELECT 2"]"#,
    ),
    (
        case("any_name", &[("alpha.sql", "SELECT 1;\n"), ("beta gamma.sql", "SELECT 2;\n")])
            .arguments("\"any_name\", layout = any"),
        r#"any
        alpha [] up: ["SELECT 1"]
        beta gamma [] up: ["SELECT 2"]"#,
    ),
    (
        case(
            "for_several_databases",
            &[
                ("1_users.mysql.up.sql", "SELECT 0;\n"),
                ("1_users.postgres.up.sql", "SELECT 1;\n"),
                ("2_posts.up.sql", "SELECT 2;\n"),
            ],
        )
        .arguments("\"for_several_databases\", dialect = postgres"),
        r#"numeric
        1 [users] up: ["SELECT 1"]
        2 [posts] up: ["SELECT 2"]"#,
    ),
    (
        case(
            "placeholders",
            &[(
                "1_users.sql",
                "CREATE TABLE {{tables.users}} (id int);\nSELECT '{{ not ours }}', '{{schema}}';\n",
            )],
        ),
        r#"numeric
        1 [users] up: ["CREATE TABLE {{tables.users}} (id int)", "SELECT '{{ not ours }}', '{{schema}}'"]"#,
    ),
    (
        case(
            "text_that_tokens_could_mangle",
            &[(
                "1_users.sql",
                "SELECT '\"###', '\\', \"r#\", $r$ \"## $r$, '//', '/*', '\u{7}', '\u{202e}é';\n",
            )],
        )
        .arguments("\"text_that_tokens_could_mangle\", names = off"),
        "numeric\n1 [users] up: [\"SELECT '\\\"###', '\\\\', \\\"r#\\\", $r$ \\\"## $r$, \
         '//', '/*', '\\u{7}', '\\u{202e}é'\"]",
    ),
];
