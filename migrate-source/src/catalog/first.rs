//! The first pass over a set, which follows each up script as soon as it is read, while the next are read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::pass::{self, File};
use super::{Catalog, Found, Noting, Set, begins, lints};
use crate::objects::{Begins, ObjectProblem};

/// What the up scripts so far made.
pub(crate) struct First {
    catalog: Catalog,
    followed: usize,
}

impl First {
    /// Nothing yet, of a set that begins there.
    pub(crate) fn of(begins: Begins) -> First {
        // Whether a script creates an extension is seen when it is followed.
        First { catalog: Catalog::new(begins, Noting::Nothing, false), followed: 0 }
    }

    /// Follows the next up script.
    pub(crate) fn follow(&mut self, file: &File<'_>) {
        self.catalog.follow_file(self.followed, file);
        self.followed += 1;
    }

    /// What is found in the set, all of whose up scripts were followed; nothing if that panics.
    pub(crate) fn found(self, set: &Set<'_>) -> Found {
        let found = || {
            let (names, begins) =
                self.names(set.files.get(..set.ups).unwrap_or_default(), set.begins);
            let found = if set.lints { lints::run(set, begins) } else { Found::default() };
            Found { names, ..found }
        };
        catch_unwind(AssertUnwindSafe(found)).unwrap_or_default()
    }

    /// The names that nothing made, and where the set begins.
    fn names(self, files: &[File<'_>], begins: Begins) -> (Vec<(usize, ObjectProblem)>, Begins) {
        let is_wrong = self.catalog.has_presumed && self.catalog.creates_extensions;
        let is_clean = !is_wrong && self.catalog.ended(files).missing.is_empty();
        if is_clean {
            return (Vec::new(), begins);
        }
        // Only now is it needed where each name was first made.
        let pass = pass::run(files, begins, Noting::Births);
        if begins == Begins::Inferred && begins::on_existing(&pass) {
            let pass = pass::run(files, Begins::Existing, Noting::Births);
            return (pass.findings(files), Begins::Existing);
        }
        (pass.findings(files), begins)
    }
}
