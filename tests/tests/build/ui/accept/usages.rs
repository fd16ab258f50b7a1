//! Every place where a set can be.
#![deny(warnings)]
#![deny(clippy::pedantic)]
#![deny(missing_docs)]

use migrate_runtime::{Migrations, embed_migrations};

/// In a static, as in the README.
pub static MIGRATIONS: Migrations = embed_migrations!("migrations");

/// A second one in the same module, of the same folder, in a constant.
pub const AGAIN: &Migrations = &embed_migrations!("migrations", module = "again");

/// The folder written in other ways, with a comma at the end.
pub static DOTTED: Migrations = embed_migrations!("./migrations",);

/// Every argument.
pub static ALL: Migrations =
    embed_migrations!("migrations", module = "all", layout = numeric, dialect = "postgres",);

/// Parts of other constants.
pub static PAIR: [Migrations; 2] =
    [embed_migrations!("migrations"), embed_migrations!("migrations")];

/// In an associated constant.
pub struct Billing;

impl Billing {
    /// Its set.
    pub const MIGRATIONS: Migrations = embed_migrations!("migrations", module = "billing");
}

mod inner {
    //! In a module that is not the crate's root.
    use migrate_runtime::{Migrations, embed_migrations};

    pub(crate) static MIGRATIONS: Migrations = embed_migrations!("migrations");
}

const fn in_a_constant_function() -> Migrations {
    embed_migrations!("migrations")
}

fn from_a_literal<const N: usize>(set: &Migrations) -> bool {
    set.len() == N
}

macro_rules! through_a_macro {
    ($folder:literal) => {
        migrate_runtime::embed_migrations!($folder, module = "through")
    };
}

fn main() {
    static LOCAL: Migrations = embed_migrations!("migrations");
    const CONSTANT: Migrations = embed_migrations!("migrations");
    let expression = embed_migrations!("migrations");
    assert_eq!(expression, CONSTANT);
    assert_eq!(expression, in_a_constant_function());
    for set in [&MIGRATIONS, &LOCAL, &expression, &inner::MIGRATIONS, &PAIR[1], &DOTTED] {
        assert_eq!((set.module(), set.len()), ("default", 2));
    }
    assert_eq!((AGAIN.module(), ALL.module()), ("again", "all"));
    assert_eq!(Billing::MIGRATIONS.module(), "billing");
    assert_eq!(through_a_macro!("migrations").module(), "through");
    assert_eq!(DOTTED.folder(), "./migrations");
    assert!(from_a_literal::<2>(&embed_migrations!("migrations")));
    let quotes = MIGRATIONS.iter().last().map(|migration| migration.up().text());
    assert_eq!(quotes, Some("INSERT INTO users VALUES (E'\\\"#', '\"##', 'é\u{202e}');\n"));
}
