//! More than one ledger in one call: several sets in order, or one set in many schemas.

mod sets;
mod in_order;
pub mod tenants;

pub use in_order::{InOrderError, run_in_order};
pub use sets::Sets;
