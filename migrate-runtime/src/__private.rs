//! What the expansion of `embed_migrations!` names; no part of the public interface.
//! Literals go in, parts of a set come out, all of it `const`.
//! Nothing is checked here on purpose: the macro has.

use std::borrow::Cow;

pub use migrate_core::name::{Kind, Layout};
pub use migrate_core::set::{Migration, Migrations, Origin, Script};
pub use migrate_core::sql::directive::TransactionMode;
pub use migrate_core::sql::kind::SessionEffect;
pub use migrate_core::sql::placeholder::{Placeholder, Within};
pub use migrate_macros::embed_migrations;

use migrate_core::checksum::Checksum;
use migrate_core::version::Version;

/// The set of one macro call.
pub const fn migrations(
    module: &'static str,
    folder: &'static str,
    layout: Layout,
    origin: Option<Origin>,
    migrations: &'static [Migration],
) -> Migrations {
    let (module, folder) = (Cow::Borrowed(module), Cow::Borrowed(folder));
    Migrations::new(module, folder, layout, origin, Cow::Borrowed(migrations))
}

/// What stands in for a set that was refused, so that one mistake gives one error.
pub const fn no_migrations() -> Migrations {
    migrations("", "", Layout::Numeric, None, &[])
}

/// One migration.
pub const fn migration(
    version: &'static str,
    name: &'static str,
    kind: Kind,
    checksum: [u8; 32],
    up: Script,
    down: Option<Script>,
) -> Migration {
    let checksum = Checksum::from_bytes(checksum);
    Migration::new(Version::from_static(version), Cow::Borrowed(name), kind, checksum, up, down)
}

/// One script.
pub const fn script(
    filename: &'static str,
    text: &'static str,
    statements: &'static [[u32; 2]],
    placeholders: &'static [Placeholder],
    transaction: TransactionMode,
    session: SessionEffect,
) -> Script {
    Script::new(
        Cow::Borrowed(filename),
        Cow::Borrowed(text),
        Cow::Borrowed(statements),
        Cow::Borrowed(placeholders),
        transaction,
        session,
    )
}

/// One placeholder.
pub const fn placeholder(start: u32, end: u32, within: Within) -> Placeholder {
    Placeholder { start, end, within }
}
