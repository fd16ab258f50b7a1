//! Mistakes in the arguments of the macro.

use crate::ui::case::{Case, case};

const FILES: &[(&str, &str)] = &[("1_users.sql", "CREATE TABLE users (id int);\n")];

pub const CASES: &[Case] = &[
    case("no_argument", FILES).arguments(""),
    case("folder_not_a_string", FILES).arguments("migrations"),
    case("unknown_argument", FILES).arguments("\"unknown_argument\", lock = \"migrations.lock\""),
    case("misspelt_argument", FILES).arguments("\"misspelt_argument\", lint = deny"),
    case("unknown_layout", FILES).arguments("\"unknown_layout\", layout = rails"),
    case("unknown_dialect", FILES).arguments("\"unknown_dialect\", dialect = \"mysql\""),
    case("empty_module", FILES).arguments("\"empty_module\", module = \"\""),
    case("empty_history", FILES).arguments("\"empty_history\", history = \"\""),
    case("missing_schema_file", FILES)
        .arguments("\"missing_schema_file\", schema = \"schema.sql\""),
    case("argument_without_value", FILES).arguments("\"argument_without_value\", history"),
    case("module_not_a_string", FILES).arguments("\"module_not_a_string\", module = billing"),
    case("unknown_value", FILES).arguments("\"unknown_value\", duplicates = allow"),
    case("value_not_a_word", FILES).arguments("\"value_not_a_word\", syntax = false"),
    case("layout_not_a_word", FILES).arguments("\"layout_not_a_word\", layout = 3"),
    case("argument_without_name", FILES).arguments("\"argument_without_name\", \"numeric\""),
    case("missing_comma", FILES).arguments("\"missing_comma\" module = \"billing\""),
];
