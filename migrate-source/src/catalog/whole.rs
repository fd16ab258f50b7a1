//! What is found in sets whose files are all there already, each in a thread with a large stack.

use super::{Asked, Begins, File, Found, Noting, begins, first, follow, pass};
use crate::schema::SetSchema;
use crate::{stream, syntax};

/// Follows a set whose files are there already.
pub(crate) fn check(files: Vec<File<'_>>, asked: Asked) -> (Vec<File<'_>>, Found) {
    deep(|| follow(files.into_iter(), asked))
}

/// The result of `work` on a large stack, because queries nest as deep as statements; the default if it panics.
fn deep<R: Default + Send>(work: impl FnOnce() -> R + Send) -> R {
    stream::on_stack(syntax::STACK, work).unwrap_or_default()
}

/// The schema that the files make; what they begin on is not inferred.
pub(crate) fn schema(files: &[File<'_>], begins: Begins) -> SetSchema {
    deep(|| first::described(files, begins))
}

/// What the set begins on: `Inferred` is left if that is an empty database.
pub(crate) fn resolved(files: &[File<'_>], begins: Begins) -> Begins {
    if begins != Begins::Inferred {
        return begins;
    }
    let is_existing = deep(|| begins::on_existing(&pass::run(files, begins, Noting::Births)));
    if is_existing { Begins::Existing } else { begins }
}
