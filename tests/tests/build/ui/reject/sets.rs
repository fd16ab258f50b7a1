//! Mistakes of several files together.

use crate::ui::case::{Case, case};

const SQL: &str = "SELECT 1;\n";

pub const CASES: &[Case] = &[
    case("equal_numbers", &[("01_posts.sql", SQL), ("1_users.sql", SQL)]),
    case("equal_flyway_versions", &[("V1__posts.sql", SQL), ("V1__users.sql", SQL)]),
    case(
        "equal_folder_versions",
        &[("20240126184148_posts/migration.sql", SQL), ("20240126184148_users/migration.sql", SQL)],
    ),
    case("down_alone", &[("1_users.up.sql", SQL), ("2_posts.down.sql", SQL)]),
    case(
        "two_downs",
        &[("1_users.down.sql", SQL), ("1_users.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n")],
    ),
    case(
        "down_required",
        &[("1_users.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n"), ("2_posts.sql", SQL)],
    )
    .arguments("\"down_required\", down = required"),
    case("broken_down", &[("1_users.down.sql", "DROP TABLE (users;\n"), ("1_users.up.sql", SQL)]),
    case(
        "down_section_in_an_up_file",
        &[("1_users.up.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n")],
    ),
    case(
        "five_mistakes_in_four_files",
        &[
            ("001_users.sql", "CREATE TABLE users (id int;\n"),
            ("002_posts.sql", "VACUUM;\nCREATE TABLE posts (id int);\nROLLBACK;\n"),
            ("003_likes.SQL", SQL),
            ("004_follows.sql", "-- migrate:notransaction\nSELECT 1;\n"),
            ("005_fine.sql", SQL),
        ],
    )
    .mistakes(5),
];
