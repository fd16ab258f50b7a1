//! Statements that cannot run where they are.

use crate::ui::case::{Case, case};

pub const CASES: &[Case] = &[
    case("commit_without_begin", &[("1_users.sql", "SELECT 1;\nCOMMIT;\n")]),
    case("begin_without_commit", &[("1_users.sql", "BEGIN;\nSELECT 1;\n")]),
    case("rollback", &[("1_users.sql", "SELECT 1;\nROLLBACK;\n")]),
    case(
        "begin_with_modes",
        &[("1_users.sql", "BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\nCOMMIT;\n")],
    ),
    case("begin_in_begin", &[("1_users.sql", "BEGIN;\nBEGIN;\nSELECT 1;\nCOMMIT;\nCOMMIT;\n")]),
    case("begin_and_rollback", &[("1_users.sql", "BEGIN;\nSELECT 1;\nROLLBACK;\n")]),
    case("commit_without_semicolon", &[("1_users.sql", "BEGIN;\nSELECT 1;\nCOMMIT\nSELECT 2;\n")]),
    case(
        "psql_set_before_begin",
        &[("1_users.sql", "\\set ON_ERROR_STOP on\nBEGIN;\nSELECT 1;\nCOMMIT;\n")],
    ),
    case("psql_echo_with_an_apostrophe", &[("1_users.sql", "\\echo it's done\nSELECT 1;\n")]),
    case("psql_gset", &[("1_users.sql", "SELECT 1 AS a \\gset\nSELECT 2;\n")]),
    case(
        "copy_of_data_with_an_apostrophe",
        &[("1_users.sql", "SELECT 1;\nCOPY users (name) FROM stdin;\nO'Neill\n\\.\nSELECT 2;\n")],
    ),
    case(
        "copy_of_data_with_a_semicolon",
        &[("1_users.sql", "COPY users (name) FROM stdin;\nVACUUM;\n\\.\nSELECT 2;\n")],
    ),
    case("abort", &[("1_users.sql", "SELECT 1;\nABORT;\n")]),
    case(
        "set_transaction",
        &[("1_users.sql", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\n")],
    ),
    case("prepare_transaction", &[("1_users.sql", "SELECT 1;\nPREPARE TRANSACTION 'x';\n")]),
    case(
        "create_index_concurrently",
        &[(
            "1_users.sql",
            "CREATE TABLE users (id int);\n\
         CREATE UNIQUE INDEX CONCURRENTLY users_id ON users (id);\n",
        )],
    ),
    case("vacuum", &[("1_users.sql", "VACUUM (ANALYZE) users;\n")]),
    case(
        "vacuum_in_a_down_section",
        &[("1_users.sql", "-- UP\nSELECT 1;\n-- DOWN\nVACUUM users;\n")],
    ),
    case(
        "do_block_that_commits",
        &[("1_users.sql", "DO $$\nBEGIN\n  UPDATE users SET a = 1;\n  COMMIT;\nEND\n$$;\n")],
    ),
    case("psql_meta_command", &[("1_users.sql", "SELECT 1;\n\\i other.sql\n")]),
    case("copy_from_stdin", &[("1_users.sql", "COPY users (id, name) FROM stdin;\n1\tann\n\\.\n")]),
];
