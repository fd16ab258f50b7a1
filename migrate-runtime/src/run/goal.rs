//! The goal of a run: an object and not an enum, so that a service contains only the verbs that it calls.

use super::hold::Hold;
use super::tally::Tally;
use crate::boxed::Boxed;
use crate::context::Context;
use crate::lock::Stop;

/// The goal of a run.
pub(crate) trait Goal: Sync {
    /// One word for it.
    fn word(&self) -> &'static str;

    /// Reads the ledger, decides what is missing, and does it.
    fn attempt<'a, 'r: 'a>(
        &'a self,
        cx: &'a Context<'r>,
        hold: &'a mut Hold<'r>,
        tally: &'a mut Tally<'r>,
    ) -> Boxed<'a, Result<(), Stop>>;
}
