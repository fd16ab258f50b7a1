//! What the macro finds at the path, before it reads a name.

use std::os::unix::fs::symlink;

use crate::case::{Case, case};

pub const CASES: &[Case] = &[
    case("no_such_folder", &[]).arguments("\"no_such_folder/migrations\""),
    case("file_instead_of_folder", &[("all.sql", "SELECT 1;\n")])
        .arguments("\"file_instead_of_folder/all.sql\""),
    case("empty_folder", &[]),
    case(
        "only_bystanders",
        &[(".gitkeep", ""), ("README.md", "# Migrations\n"), ("atlas.sum", "h1:x\n")],
    ),
    case("dangling_link", &[("1_users.sql", "SELECT 1;\n")]).prepare(|folder| {
        symlink("../nowhere.sql", folder.join("2_posts.sql")).unwrap();
    }),
    case("links_in_a_circle", &[("1_users.sql", "SELECT 1;\n")]).prepare(|folder| {
        symlink(".", folder.join("again")).unwrap();
    }),
];
