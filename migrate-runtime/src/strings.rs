//! Sees to it that the server reads a string as the build did: a backslash in it is a backslash.
//! A session with `standard_conforming_strings = off` goes in, one with it on comes out, for the
//! time of a run.
//! It costs nothing where no migration holds a backslash, and no message where the setting is on:
//! the guard looks, as the first statement of a message that is read whole before.

use migrate_set::set::Script;

use crate::deed::Deed;
use crate::error::ErrorKind;
use crate::execute::{Attempt, Run};
use crate::protocol::{self, OnDrop};

/// Whether how strings are read matters for `script`, or for what stands in for its placeholders.
pub(crate) fn matter(script: &Script, schema: Option<&str>) -> bool {
    let escapes = |text: &str| text.contains('\\');
    escapes(script.text()) || (!script.placeholders().is_empty() && schema.is_some_and(escapes))
}

impl Run<'_> {
    /// Has strings read as the build did from now on, and otherwise again behind the run.
    pub(crate) async fn take_backslashes_as_they_are(&mut self) -> Result<(), ErrorKind> {
        let off = "SET standard_conforming_strings = off".to_owned();
        self.strings = Some(OnDrop::new(self.client, vec![off]));
        let on = "SET standard_conforming_strings = on";
        self.ask(on, "having strings read as the build did").await.map(drop)
    }

    /// Lets the session read strings as it did before the run.
    pub(crate) async fn give_strings_back(&mut self) {
        let Some(mut strings) = self.strings.take() else { return };
        self.report.messages += 1;
        // A failure here means a broken connection, whose settings are gone.
        let _ = protocol::query(self.client, "SET standard_conforming_strings = off").await;
        strings.disarm();
    }

    /// What becomes of a message that the server could not read: perhaps it read strings otherwise.
    pub(crate) async fn misread(&mut self, deeds: &[Deed<'_>]) -> Option<Attempt> {
        let schema = self.migrator.schema.as_deref();
        let matters = deeds.iter().any(|deed| matter(deed.script(), schema));
        if !matters || self.strings.is_some() {
            return None;
        }
        let asked = self.ask("SHOW standard_conforming_strings", "asking how strings are read");
        (asked.await.ok().flatten().as_deref() == Some("off")).then_some(Attempt::Escapes)
    }
}
