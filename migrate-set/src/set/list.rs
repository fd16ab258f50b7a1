//! Where the migrations of a set are: in the binary or in memory.

use std::fmt;
use std::sync::Arc;

use super::Migration;

/// Where the migrations of a set are.
#[derive(Clone)]
pub(super) enum List {
    /// In the binary: a function that unpacks them once. Not a cell, because a constant with one
    /// cannot be borrowed as `'static`.
    Embedded(fn() -> &'static [Migration]),
    /// In memory, and not copied with the set.
    Loaded(Arc<[Migration]>),
}

impl List {
    pub(super) fn as_slice(&self) -> &[Migration] {
        match self {
            List::Embedded(list) => list(),
            List::Loaded(list) => list,
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}
