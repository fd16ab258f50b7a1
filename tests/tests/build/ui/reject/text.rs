//! Mistakes in the text of a file: its encoding, and literals that are never closed.

use crate::ui::case::{Case, case};

pub const CASES: &[Case] = &[
    case("not_utf8", &[]).bytes(&[("1_users.sql", b"SELECT 1;\nSELECT 'caf\xe9';\n")]),
    case("utf16", &[]).bytes(&[("1_users.sql", b"\xff\xfeS\0E\0L\0")]),
    case("nul_byte", &[]).bytes(&[("1_users.sql", b"SELECT 1;\r\nSELECT \0 2;\r\n")]),
    case(
        "lfs_pointer",
        &[("1_users.sql", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n")],
    ),
    case(
        "merge_conflict",
        &[(
            "1_users.sql",
            "SELECT 1;\n<<<<<<< HEAD\nSELECT 'a;\n=======\nSELECT 'b';\n>>>>>>> topic\n",
        )],
    ),
    case(
        "characters_that_look_like_others",
        &[(
            "1_users.sql",
            "\u{feff}CREATE TABLE users\u{a0}(id int,\u{200b}\n  name text DEFAULT \u{2018}x\u{2019});\n\
             \u{feff}SELECT us\u{435}rs \u{2014} 1;\n",
        )],
    )
    .mistakes(6),
    case("unclosed_string", &[("1_users.sql", "SELECT 1;\nSELECT 'never closed;\n")]),
    case("unclosed_identifier", &[("1_users.sql", "CREATE TABLE \"users (id int);\n")]),
    case(
        "unclosed_dollar_quote",
        &[(
            "1_users.sql",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $body$\n  SELECT 1;\n$boy$;\n",
        )],
    ),
    case("unclosed_comment", &[("1_users.sql", "SELECT 1;\n/* outer /* inner */\nSELECT 2;\n")]),
    case(
        "unclosed_parenthesis",
        &[(
            "1_users.sql",
            "CREATE TABLE users (\n    id int,\n    name text CHECK (name <> ''\n);\n",
        )],
    ),
    case("parenthesis_too_many", &[("1_users.sql", "CREATE TABLE users (id int));\n")]),
    case(
        "unclosed_atomic_body",
        &[("1_users.sql", "CREATE FUNCTION f() RETURNS int\nBEGIN ATOMIC\n  SELECT 1;\n")],
    ),
    case(
        "after_multi_byte_characters",
        &[("1_users.sql", "-- 日本語\nINSERT INTO 利用者 VALUES ('café', '日本'); VACUUM;\n")],
    ),
    case("in_a_crlf_file", &[("1_users.sql", "SELECT 1;\r\n\r\n  SELECT 2; VACUUM;\r\n")]),
    case("behind_a_byte_order_mark", &[("1_users.sql", "\u{feff}VACUUM;\n")]),
    case(
        "on_a_very_long_line",
        &[(
            "1_users.sql",
            concat!(
                "INSERT INTO t VALUES ('........................................................');",
                "INSERT INTO t VALUES ('........................................................');",
                "VACUUM;",
                "INSERT INTO t VALUES ('........................................................');",
            ),
        )],
    ),
    case("behind_tabs", &[("1_users.sql", "SELECT\t1;\tVACUUM;\n")]),
];
