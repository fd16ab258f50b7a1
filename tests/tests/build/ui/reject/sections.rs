//! Sections and directives.

use crate::ui::case::{Case, case};

pub const CASES: &[Case] = &[
    case("empty_file", &[("1_users.sql", "")]),
    case("comments_only", &[("1_users.sql", "-- nothing yet\n/* nor here */;\n")]),
    case("empty_up_section", &[("1_users.sql", "-- UP\n\n-- DOWN\nDROP TABLE users;\n")]),
    case("only_a_down_section", &[("1_users.sql", "-- migrate:down\nDROP TABLE users;\n")]),
    case("two_ups", &[("1_users.sql", "-- UP\nSELECT 1;\n-- UP\nSELECT 2;\n")]),
    case("down_before_up", &[("1_users.sql", "-- DOWN\nSELECT 1;\n-- UP\nSELECT 2;\n")]),
    case(
        "statement_before_up",
        &[(
            "1_users.sql",
            "SET lock_timeout = '1s';\n-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 2;\n",
        )],
    ),
    case(
        "unclosed_goose_block",
        &[(
            "1_users.sql",
            "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose Down\nSELECT 2;\n",
        )],
    ),
    case(
        "unopened_goose_block",
        &[("1_users.sql", "-- +goose Up\nSELECT 1;\n-- +goose StatementEnd\n")],
    ),
    case("unknown_directive", &[("1_users.sql", "-- migrate:no-transactions\nSELECT 1;\n")]),
    case("unknown_goose_directive", &[("1_users.sql", "-- +goose UpByOne\nSELECT 1;\n")]),
    case("goose_environment", &[("1_users.sql", "-- +goose Up\n-- +goose ENVSUB ON\nSELECT 1;\n")]),
    case(
        "misplaced_directive",
        &[("1_users.sql", "SELECT 1;\n-- migrate:no-transaction\nVACUUM;\n")],
    )
    .mistakes(1),
    case("allow_without_reason", &[("1_users.sql", "-- migrate:allow empty\n")]),
    case("allow_with_an_empty_reason", &[("1_users.sql", "-- migrate:allow empty because \n")]),
    case(
        "allow_of_an_unknown_check",
        &[("1_users.sql", "-- migrate:allow vacuum because it is quick\nSELECT 1;\n")],
    ),
    case(
        "phase_without_a_release",
        &[("1_users.sql", "-- migrate:phase contract before 2.3\nSELECT 1;\n")],
    ),
    case("phase_that_does_not_exist", &[("1_users.sql", "-- migrate:phase expand\nSELECT 1;\n")]),
    case(
        "phase_in_a_down_section",
        &[(
            "1_users.sql",
            "-- UP\nSELECT 1;\n-- DOWN\n-- migrate:phase contract after 2.3\nSELECT 2;\n",
        )],
    ),
    case(
        "unclosed_dollar_quote_in_a_goose_block",
        &[(
            "1_users.sql",
            "-- +goose Up\n-- +goose StatementBegin\nDO $$ BEGIN END;\n-- +goose StatementEnd\n",
        )],
    ),
    case(
        "alternating_sections",
        &[(
            "1_users.sql",
            "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n-- UP\nSELECT 3;\n-- DOWN\nSELECT 4;\n",
        )],
    ),
    case("unmarked_up", &[("1_users.sql", "SELECT 1;\n\n-- DOWN\nSELECT 2;\n")]),
    case(
        "nearly_a_down_section",
        &[(
            "1_users.sql",
            "-- UP\nCREATE TABLE users (id int);\n\n-- DOWN: the table\nDROP TABLE users;\n",
        )],
    ),
    case(
        "changelog_of_liquibase",
        &[("1_users.sql", "--liquibase formatted sql\n--changeset me:1 context:test\nSELECT 1;\n")],
    ),
    case(
        "order_of_yoyo",
        &[("1_users.sql", "-- depends: 2_teams\nSELECT 1;\n"), ("2_teams.sql", "SELECT 2;\n")],
    ),
    case(
        "directive_behind_sql",
        &[("1_users.sql", "SELECT 1; -- migrate:no-transaction\nSELECT 2;\n")],
    ),
    case(
        "function_outside_a_transaction",
        &[("1_users.sql", "-- migrate:no-transaction\n-- migrate:function\nVACUUM;\n")],
    ),
    case(
        "function_in_a_down_section",
        &[("1_users.sql", "-- UP\nSELECT 1;\n-- DOWN\n-- migrate:function\nSELECT 2;\n")],
    ),
    case("function_behind_a_statement", &[("1_users.sql", "SELECT 1;\n-- migrate:function\n")]),
    case("function_with_a_name", &[("1_users.sql", "-- migrate:function hash\nSELECT 1;\n")]),
    case("allow_of_nothing", &[("1_users.sql", "-- migrate:allow\nSELECT 1;\n")]),
    case("allow_without_because", &[("1_users.sql", "-- migrate:allow empty not needed\n")]),
    case("squash_of_nothing", &[("1_users.sql", "-- migrate:replaces all\nSELECT 1;\n")]),
    case(
        "squash_with_another_list",
        &[("3_squash.sql", "-- migrate:replaces 1 to 3 sha256:00\n-- 1\ttransaction\nSELECT 1;\n")],
    ),
];
