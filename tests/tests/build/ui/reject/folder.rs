//! Mistakes in the path of the folder.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use crate::ui::case::{Case, case};

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
    case("link_out_of_the_folder", &[("1_users.sql", "SELECT 1;\n")]).prepare(|folder| {
        symlink("../src/main.rs", folder.join("2_posts.sql")).unwrap();
    }),
    case("links_in_a_circle", &[("1_users.sql", "SELECT 1;\n")]).prepare(|folder| {
        symlink(".", folder.join("again")).unwrap();
    }),
    case("two_links_in_a_circle", &[("1_users.sql", "SELECT 1;\n")])
        .prepare(|folder| {
            symlink(".", folder.join("a")).unwrap();
            symlink(".", folder.join("b")).unwrap();
        })
        .mistakes(2),
    case("name_not_utf8", &[("1_users.sql", "SELECT 1;\n")]).prepare(|folder| {
        let name = OsStr::from_bytes(b"2_caf\xe9.sql");
        fs::write(folder.join(name), "SELECT 2;\n").unwrap();
    }),
];
