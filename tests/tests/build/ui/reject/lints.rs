//! Statements that lock a table for long or break the running version, in a set that denies them.

use crate::ui::case::{Case, case};

macro_rules! denied {
    ($name:literal, $sql:literal) => {
        case($name, &[("1_users.sql", $sql)]).arguments(concat!("\"", $name, "\", lints = deny"))
    };
}

pub const CASES: &[Case] = &[
    denied!("lint_index_not_concurrent", "CREATE INDEX users_name ON users (name);\n"),
    denied!("lint_not_null_without_default", "ALTER TABLE users ADD COLUMN age int NOT NULL;\n"),
    denied!(
        "lint_volatile_default",
        "ALTER TABLE users ADD COLUMN key uuid DEFAULT gen_random_uuid();\n"
    ),
    denied!("lint_table_rewritten", "ALTER TABLE users SET UNLOGGED;\n"),
    denied!("lint_column_type_change", "ALTER TABLE users ALTER COLUMN id TYPE bigint;\n"),
    denied!("lint_set_not_null", "ALTER TABLE users ALTER COLUMN name SET NOT NULL;\n"),
    denied!(
        "lint_constraint_not_valid",
        "ALTER TABLE posts ADD CONSTRAINT p FOREIGN KEY (user_id) REFERENCES users (id);\n"
    ),
    denied!("lint_unique_without_index", "ALTER TABLE users ADD CONSTRAINT u UNIQUE (name);\n"),
    denied!("lint_table_renamed", "ALTER TABLE users RENAME TO people;\n"),
    denied!("lint_column_renamed", "ALTER TABLE users RENAME COLUMN name TO title;\n"),
    denied!("lint_table_dropped", "DROP TABLE users;\n"),
    denied!("lint_column_dropped", "ALTER TABLE users DROP COLUMN name;\n"),
    denied!("lint_session_setting", "SET search_path = app;\nCREATE TABLE users (id int);\n"),
    denied!(
        "lint_session_setting_of_a_dump",
        "SET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n"
    ),
    case(
        "lint_foreign_key_without_index",
        &[(
            "1_posts.sql",
            "CREATE TABLE users (id int PRIMARY KEY);\nCREATE TABLE posts (author int REFERENCES users);\n",
        )],
    )
    .arguments("\"lint_foreign_key_without_index\", lints = deny"),
    case(
        "lint_still_read",
        &[
            ("1_users.sql", "CREATE TABLE users (id int, mail text);\n"),
            ("2_mails.sql", "CREATE VIEW mails AS SELECT mail FROM users;\n"),
            (
                "3_text.sql",
                "-- migrate:allow column-type-change because nothing reads it\n\
                 ALTER TABLE users ALTER mail TYPE varchar(40);\n",
            ),
        ],
    )
    .arguments("\"lint_still_read\", lints = deny"),
    case(
        "lint_down_incomplete",
        &[
            ("1_users.sql", "-- UP\nCREATE TABLE users (mail text);\n-- DOWN\nDROP TABLE users;\n"),
            (
                "2_mail.sql",
                "-- UP\nCREATE INDEX ON users (mail);\nALTER TABLE users ADD age int;\n\
                 -- DOWN\nDROP INDEX users_mail_idx;\n",
            ),
        ],
    )
    .arguments("\"lint_down_incomplete\", down = complete"),
    case(
        "lint_down_fails",
        &[("1_users.sql", "-- UP\nCREATE TABLE users (mail text);\n-- DOWN\nDROP TABLE usres;\n")],
    )
    .arguments("\"lint_down_fails\", down = complete"),
    denied!(
        "lint_needless_no_transaction",
        "-- migrate:no-transaction\nCREATE TABLE users (id int);\n"
    ),
];
