//! Mistakes in the names of files.

use crate::ui::case::{Case, case};

const SQL: &str = "SELECT 1;\n";

pub const CASES: &[Case] = &[
    case("name_without_version", &[("001_users.sql", SQL), ("posts.sql", SQL)]),
    case("name_without_any_version", &[("users.sql", SQL)]),
    case("nearly_flyway_lower_case", &[("v1_users.sql", SQL)]),
    case("nearly_flyway_one_underscore", &[("V1__users.sql", SQL), ("V2_posts.sql", SQL)]),
    case("blank_after_version", &[("001 users.sql", SQL)]),
    case("upper_case_ending", &[("V79__x.sql", SQL), ("V80__Add_Function.SQL", SQL)]),
    case("misspelt_ending", &[("1_users.up.sq", SQL), ("2_posts.up.sql", SQL)]),
    case("editor_backup", &[("1_users.sql", SQL), ("1_users.sql~", SQL)]),
    case("copy", &[("1_users.sql", SQL), ("1_users copy.sql", SQL)]),
    case("flyway_callback", &[("V1__users.sql", SQL), ("afterMigrate.sql", SQL)]),
    case("flyway_baseline", &[("B5__all.sql", SQL), ("V6__users.sql", SQL)]),
    case("flyway_script_config", &[("V1__users.sql", SQL), ("V1__users.sql.conf", "x=y\n")]),
    case("other_language", &[("001_users.sql", SQL), ("002_backfill.go", "package x\n")]),
    case("down_without_its_dot", &[("1_users_down.sql", SQL), ("1_users_up.sql", SQL)]),
    case("down_in_other_words", &[("1_users.rollback.sql", SQL), ("1_users.sql", SQL)]),
    case(
        "release_folders",
        &[("v0.20/01-users.sql", SQL), ("v0.21/01-posts.sql", SQL), ("v0.21/02-likes.sql", SQL)],
    ),
    case("folder_that_is_no_migration", &[("001_users.sql", SQL), ("old/001_x.sql", SQL)]),
    case(
        "other_script_in_migration_folder",
        &[("2024-01-01-000000_users/up.sql", SQL), ("2024-01-01-000000_users/undo.sql", SQL)],
    ),
    case("other_database", &[("1_users.postgres.up.sql", SQL), ("1_users.sqlite.up.sql", SQL)]),
    case(
        "layouts_mixed",
        &[("001_users.sql", SQL), ("002_posts.sql", SQL), ("V3__likes.sql", SQL)],
    ),
    case("not_the_layout_asked_for", &[("001_users.sql", SQL), ("002_posts.sql", SQL)])
        .arguments("\"not_the_layout_asked_for\", layout = flyway"),
    case(
        "separators_mixed",
        &[("001_users.sql", SQL), ("002-posts.sql", SQL), ("003_likes.sql", SQL)],
    ),
    case("misspelt_ending_beside_its_down", &[("1_x.down.sql", SQL), ("1_x.up.sq", SQL)]),
];
