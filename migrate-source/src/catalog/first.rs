//! The first pass over a set, which follows each up script as soon as it is read, while the next are read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::pass::{self, File};
use super::{Catalog, Found, Noting, Set, begins, lints};
use crate::objects::{Begins, ObjectProblem};
use crate::schema::SetSchema;

/// What the up scripts so far made.
pub(crate) struct First {
    catalog: Catalog,
    followed: usize,
}

impl First {
    /// Nothing yet, of a set that begins there.
    pub(crate) fn of(begins: Begins) -> First {
        First::noting(begins, Noting::Nothing)
    }

    /// The same, to describe the schema.
    pub(crate) fn describing(begins: Begins) -> First {
        First::noting(begins, Noting::Definitions)
    }

    fn noting(begins: Begins, noting: Noting) -> First {
        // Whether a script creates an extension is seen when it is followed.
        First { catalog: Catalog::new(begins, noting, false), followed: 0 }
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

    /// The schema that the up scripts make, all of which were followed to describe it.
    pub(crate) fn schema(self, files: &[File<'_>], begins: Begins) -> SetSchema {
        let ended = self.ended(files);
        let ended = ended.filter(|one| begins != Begins::Inferred || one.missing.is_empty());
        match ended {
            Some(catalog) => catalog.describe(files),
            None => super::schema(files, super::resolved(files, begins)),
        }
    }

    /// The catalog after the last up script; `None` if an extension was presumed to be there before the set, and a
    /// script after that creates one.
    fn ended(self, files: &[File<'_>]) -> Option<Catalog> {
        let is_wrong = self.catalog.has_presumed && self.catalog.creates_extensions;
        (!is_wrong).then(|| self.catalog.ended(files))
    }

    /// The names that nothing made, and where the set begins.
    fn names(self, files: &[File<'_>], begins: Begins) -> (Vec<(usize, ObjectProblem)>, Begins) {
        if self.ended(files).is_some_and(|catalog| catalog.missing.is_empty()) {
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
