//! The runtime under another name, in a crate of an older edition.
#![deny(warnings)]
#![deny(clippy::pedantic)]

use mig::{embed_migrations as embed, Migrations};

static MIGRATIONS: Migrations = mig::embed_migrations!("migrations");
static AGAIN: Migrations = embed!("migrations");

mod facade {
    //! A crate that re-exports the runtime, as a framework does.
    pub use mig as database;
}

static HANDED_ON: Migrations = facade::database::embed_migrations!("migrations");

fn main() {
    assert_eq!(MIGRATIONS, AGAIN);
    assert_eq!(MIGRATIONS, HANDED_ON);
    assert_eq!(MIGRATIONS.len(), 2);
}
