//! Names of tables, columns and the like that nothing in the set made, or that it makes twice.

use crate::ui::case::{Case, case};

const USERS: (&str, &str) =
    ("1_users.sql", "CREATE TABLE users (\n    id int PRIMARY KEY,\n    email text NOT NULL\n);\n");

pub const CASES: &[Case] = &[
    case("object_misspelt_table", &[USERS, ("2_score.sql", "ALTER TABLE userz ADD score int;\n")]),
    case("object_misspelt_column", &[USERS, ("2_index.sql", "CREATE INDEX ON users (emial);\n")]),
    case(
        "object_dropped_column",
        &[
            USERS,
            ("2_drop.sql", "ALTER TABLE users DROP COLUMN email;\n"),
            ("3_posts.sql", "CREATE TABLE posts (\n    author text REFERENCES users (email)\n);\n"),
        ],
    ),
    case(
        "object_renamed_table",
        &[
            USERS,
            ("2_rename.sql", "ALTER TABLE users RENAME TO people;\n"),
            ("3_fill.sql", "INSERT INTO users VALUES (1, 'a@example.org');\n"),
        ],
    ),
    case(
        "object_made_later",
        &[
            USERS,
            ("2_index.sql", "CREATE INDEX ON posts (id);\n"),
            ("3_posts.sql", "CREATE TABLE posts (id int);\n"),
        ],
    ),
    case("object_made_nowhere", &[USERS, ("2_post.sql", "DELETE FROM posts WHERE id = 1;\n")]),
    case("object_made_twice", &[USERS, ("2_users.sql", "CREATE TABLE users (id bigint);\n")]),
    case(
        "object_value_added_twice",
        &[
            ("1_state.sql", "CREATE TYPE state AS ENUM ('new', 'done');\n"),
            ("2_state.sql", "ALTER TYPE state ADD VALUE 'done';\n"),
        ],
    ),
    case(
        "object_missing_in_a_query",
        &[USERS, ("2_view.sql", "CREATE VIEW v AS\nSELECT u.mail FROM users u;\n")],
    ),
    case(
        "object_missing_at_the_beginning",
        &[
            ("1_users.sql", "ALTER TABLE users ADD score int;\n"),
            ("2_users.sql", "ALTER TABLE userz ADD a int;\n"),
        ],
    )
    .arguments("\"object_missing_at_the_beginning\", begins = nothing")
    .mistakes(2),
    case("unknown_beginning", &[USERS]).arguments("\"unknown_beginning\", begins = empty"),
];
