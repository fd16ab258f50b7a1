//! The items that the expansion of `embed_migrations!` uses; not part of the public interface.

pub use std::sync::OnceLock;
pub use std::vec::Vec;

pub use migrate_macros::embed_migrations;
pub use migrate_set::digest::Digest;
pub use migrate_set::name::Layout;
pub use migrate_set::set::{Migration, Migrations, Origin, Traits};
pub use migrate_set::unpack::unpack;

pub use crate::stale::differences;

/// Replaces a refused set, so that one mistake gives one error.
pub const fn no_migrations() -> Migrations {
    let digest = Digest::new(0);
    let traits =
        Traits { orders_by_name: false, count: 0, digest, has_data: false, runs_outside: false };
    Migrations::embedded("", "", Layout::Numeric, None, traits, || &[])
}
