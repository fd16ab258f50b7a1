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
        "copy_of_data_without_end",
        &[("1_users.sql", "COPY users (name) FROM stdin;\nO'Neill\nCOMMIT;\n")],
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
    case(
        "psql_meta_commands",
        &[(
            "1_users.sql",
            "\\connect app\n\\i other.sql\n\\copy users from 'x'\n\\if :x\n\\pset null ''\nSELECT 1;\n\\.\n",
        )],
    )
    .mistakes(6),
    case(
        "psql_variables_and_parameters",
        &[(
            "1_users.sql",
            "CREATE TABLE users (id int DEFAULT :start);\n\
             ALTER TABLE users OWNER TO :\"owner\";\n\
             INSERT INTO users VALUES ($1);\n",
        )],
    )
    .mistakes(3),
    case(
        "copy_without_data",
        &[("1_users.sql", "COPY users (id, name) FROM stdin;\n")],
    ),
    case("copy_to_stdout", &[("1_users.sql", "COPY users TO STDOUT;\n")]),
];
