//! Statements that PostgreSQL's grammar does not accept.

use crate::ui::case::{Case, case};

pub const CASES: &[Case] = &[
    case(
        "syntax_misspelt_keyword",
        &[("1_users.sql", "CREATE TABLE users (id int);\nCREATE TABEL posts (id int);\n")],
    ),
    case(
        "syntax_trailing_comma",
        &[("1_users.sql", "CREATE TABLE users (\n    id int,\n    name text,\n);\n")],
    ),
    case("syntax_nothing_behind_an_operator", &[("1_users.sql", "SELECT 1;\nSELECT 1 +;\n")]),
    case(
        "syntax_missing_semicolon",
        &[("1_users.sql", "ALTER TABLE users ADD name text\nALTER TABLE users ADD age int;\n")],
    ),
    case("syntax_table_without_columns", &[("1_users.sql", "CREATE TABLE users;\n")]),
    case("syntax_is_without_null", &[("1_users.sql", "SELECT * FROM users WHERE a IS NUL;\n")]),
    case("syntax_backticks", &[("1_users.sql", "CREATE TABLE `users` (id int);\n")]),
    case(
        "syntax_in_a_down_section",
        &[("1_users.sql", "-- UP\nCREATE TABLE users (id int);\n\n-- DOWN\nDROP users;\n")],
    ),
    case(
        "syntax_in_a_block_of_its_own",
        &[("1_users.sql", "-- migrate:no-transaction\nBEGIN;\nSELECT 1;\nSELCT 2;\nCOMMIT;\n")],
    ),
    case(
        "syntax_behind_a_placeholder",
        &[("1_users.sql", "CREATE TABLE {{tables.users}} (id int, ü text primary kye);\n")],
    ),
    case(
        "syntax_in_two_files",
        &[
            ("1_users.sql", "CREATE TABLE users (id int;\n"),
            ("2_posts.sql", "INSERT INTO users VALUE (1);\n"),
        ],
    )
    .mistakes(2),
    case("repeated_argument", &[("1_users.sql", "SELECT 1;\n")])
        .arguments("\"repeated_argument\", module = \"a\", module = \"b\""),
    case("no_folder_name", &[("1_users.sql", "SELECT 1;\n")]).arguments("\"\""),
    case("unknown_lint_level", &[("1_users.sql", "SELECT 1;\n")])
        .arguments("\"unknown_lint_level\", lints = strict"),
];
