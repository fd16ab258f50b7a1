//! The goal of a run: an object and not an enum, so that a service contains only the verbs that it calls.

use super::hold::Hold;
use super::tally::Tally;
use crate::boxed::Boxed;
use crate::context::Context;
use crate::lock::Stop;

/// What an attempt works with: what never changes, what is held, and what was done.
pub(crate) struct At<'a, 'r> {
    pub(super) cx: &'a Context<'r>,
    pub(super) hold: &'a mut Hold<'r>,
    pub(super) tally: &'a mut Tally<'r>,
}

/// The goal of a run.
pub(crate) trait Goal: Sync {
    /// One word for it.
    fn word(&self) -> &'static str;

    /// Reads the ledger, decides what is missing, and does it.
    fn attempt<'a, 'r: 'a>(&'a self, at: At<'a, 'r>) -> Boxed<'a, Result<(), Stop>>;
}
