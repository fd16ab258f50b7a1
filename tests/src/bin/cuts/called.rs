//! Cuts a call of a verb, and checks what is left and what the next call makes of it.

use migrate_runtime::Lock;
use migrate_tests::fault::{self, Fault, Traffic};
use migrate_tests::proof::first_line;

use super::state::{State, expire};
use super::tally::{Cut, Tally};
use super::verbs::{End, Verb};
use super::{Setup, code_of};
use crate::setup::RESET;

impl Setup {
    /// What is there before and after a complete call of this verb, and its traffic.
    pub(crate) async fn uncut_verb(
        &mut self,
        verb: &Verb,
        tally: &mut Tally,
    ) -> ([String; 2], Traffic) {
        let before = self.prepare(verb).await;
        let (end, traffic) = self.call(verb, Fault::Nothing).await;
        let end = end.expect("a connection");
        let after = self.state().await;
        let broken: Vec<String> =
            end.errors.iter().map(|error| format!("it fails: {error}")).collect();
        tally.whole(&format!("uncut, {}", verb.name), &broken);
        ([before, after.whole], traffic)
    }

    /// Cuts a call of this verb, checks what is left, and has the next call complete it.
    pub(crate) async fn cut_verb(
        &mut self,
        verb: &Verb,
        [before, after]: &[String; 2],
        cut: Cut,
        tally: &mut Tally,
    ) {
        let place = format!("{}, {cut}", verb.name);
        self.prepare(verb).await;
        let fault = Fault::Cut { direction: cut.direction, after: cut.after };
        let (end, _) = self.call(verb, fault).await;
        let found = self.state().await;
        for rule in found.broken(verb.leaves, end.as_ref(), [before, after]) {
            tally.broke(&place, &rule);
        }
        let mut outcome = if end.is_some() { "complete" } else { "no connection" };
        for error in end.iter().flat_map(|end| &end.errors) {
            outcome = code_of(error, &place, tally);
        }
        tally.outcome(cut.direction, &format!("{}; {outcome}", verb.name));
        if found.lock_rows > 0 {
            tally.lock_row(cut.direction);
            expire(&self.direct).await;
        }
        if found.lock_rows > u32::from(self.lock == Lock::Row) {
            tally.broke(&place, "a lock row with advisory locks");
        }

        let next = (verb.call)(&mut self.direct, self.lock).await;
        for error in &next.errors {
            tally.broke(&place, &format!("the next call fails: {}", first_line(error)));
        }
        let last = State::look(&self.direct).await;
        if last.whole != *after {
            let first = |one: &str, other: &str| {
                let lines = one.lines().find(|line| !other.lines().any(|known| known == *line));
                lines.unwrap_or("nothing").to_owned()
            };
            let (more, less) = (first(&last.whole, after), first(after, &last.whole));
            tally.broke(&place, &format!("the next call leaves `{more}`, not `{less}`"));
        }
        // If the cut call had reached its end, no other needs the lock that it left.
        if last.locks > 0 || (last.lock_rows > 0 && found.whole != *after) {
            tally.broke(&place, "a lock remains at the end");
        }
    }

    /// Makes the database what it is before a call of this verb.
    async fn prepare(&mut self, verb: &Verb) -> String {
        self.direct.batch_execute(RESET).await.expect(RESET);
        verb.prepare(&mut self.direct).await;
        State::look(&self.direct).await.whole
    }

    /// A call through a connection with this fault; without an end if there was no connection.
    async fn call(&self, verb: &Verb, fault: Fault) -> (Option<End>, Traffic) {
        let Ok((mut client, traffic)) = fault::connect(&self.database.config(), fault).await else {
            return (None, Traffic::default());
        };
        (Some((verb.call)(&mut client, self.lock).await), traffic)
    }

    async fn state(&self) -> State {
        self.until_alone().await;
        State::look(&self.direct).await
    }
}
