//! Mistakes in `{{...}}`, and the placeholders of other tools.

use crate::ui::case::{Case, case};

pub const CASES: &[Case] = &[
    case("unknown_placeholder", &[("1_users.sql", "CREATE TABLE {{table.users}} (id int);\n")]),
    case("go_template", &[("1_users.sql", "CREATE TABLE {{ .Schema }}.users (id int);\n")]),
    case(
        "go_template_with_an_if",
        &[(
            "1_users.sql",
            "CREATE TABLE users (id int);\n{{ template \"shared/grants.sql\" . }}\n",
        )],
    ),
    case("flyway_placeholder", &[("1_users.sql", "CREATE TABLE ${schema}.users (id int);\n")]),
    case(
        "placeholder_in_a_quoted_identifier",
        &[("1_users.sql", "CREATE TABLE \"{{schema}}\".users (id int);\n")],
    ),
    case("flyway_placeholder_in_a_name", &[("1_users.sql", "CREATE TABLE a_${name} (id int);\n")]),
];
