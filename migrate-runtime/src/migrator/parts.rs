//! The parts of a run that only some sets and options need, so that a service links only those of its own.

use std::any::Any;

/// A part, as a value of a type that the part defines.
pub(crate) type Part = &'static (dyn Any + Send + Sync);

/// The parts of a migrator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts(pub(crate) [Option<Part>; 3]);

impl Parts {
    /// The part of this type, if it is one of these.
    pub(crate) fn find<T: 'static>(&self) -> Option<&'static T> {
        self.0.iter().flatten().find_map(|part| part.downcast_ref())
    }
}
