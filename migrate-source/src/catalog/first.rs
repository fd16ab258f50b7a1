//! The first pass over a set, which follows each up script as soon as it is read, while the next are read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::pass::{self, File};
use super::{Asked, Catalog, Found, Noting, begins, lints};
use crate::objects::{Begins, ObjectProblem};
use crate::schema::SetSchema;

/// Follows a set, and returns its files and what is found in it; nothing if that panics.
pub(crate) fn follow<'s>(
    files: impl Iterator<Item = File<'s>>,
    asked: Asked,
) -> (Vec<File<'s>>, Found) {
    let noting = if asked.describes { Noting::Definitions } else { Noting::Nothing };
    // Whether a script creates an extension is seen when it is followed.
    let mut catalog = Catalog::new(asked.begins, noting, false);
    let mut followed = Vec::new();
    for file in files {
        if followed.len() < asked.ups {
            catalog.follow_file(followed.len(), &file);
        }
        followed.push(file);
    }
    let found = catch_unwind(AssertUnwindSafe(|| found(catalog, &followed, asked)));
    (followed, found.unwrap_or_default())
}

/// What is found in a set, of which this is the catalog after its last up script.
fn found(catalog: Catalog, files: &[File<'_>], asked: Asked) -> Found {
    let ups = files.get(..asked.ups).unwrap_or_default();
    // An extension was presumed to be there before the set, and a later script creates one.
    let is_wrong = catalog.has_presumed && catalog.creates_extensions;
    let ended = (!is_wrong).then(|| catalog.ended(ups)).filter(|one| one.missing.is_empty());
    let (names, begins) = match ended {
        Some(_) => (Vec::new(), asked.begins),
        None => named(ups, asked.begins),
    };
    let schema = match ended {
        _ if !asked.describes => SetSchema::default(),
        Some(catalog) => catalog.describe(ups),
        None => described(ups, begins),
    };
    let found = if asked.lints { lints::run(files, ups.len(), begins) } else { Found::default() };
    Found { names, schema, ..found }
}

/// The schema that the files make.
pub(super) fn described(files: &[File<'_>], begins: Begins) -> SetSchema {
    pass::run(files, begins, Noting::Definitions).describe(files)
}

/// The names that nothing made, and where the set begins; only now is it needed where each name was first made.
fn named(files: &[File<'_>], begins: Begins) -> (Vec<(usize, ObjectProblem)>, Begins) {
    let pass = pass::run(files, begins, Noting::Births);
    if begins == Begins::Inferred && begins::on_existing(&pass) {
        let pass = pass::run(files, Begins::Existing, Noting::Births);
        return (pass.findings(files), Begins::Existing);
    }
    (pass.findings(files), begins)
}
