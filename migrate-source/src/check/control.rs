//! Decides whether a statement is allowed where it is, by its effect on the transaction around it.

use migrate_set::sql::kind::StatementKind;
use migrate_set::sql::split::Statement;

use super::problem::{Beside, Problem};

/// The transaction that a file's own statements began.
#[derive(Default)]
pub(super) struct OwnTransaction<'t> {
    /// The statement that began it.
    pub(super) begun: Option<Statement<'t>>,
    /// How many transactions are open.
    pub(super) depth: usize,
    /// Whether a mistake in it was reported; then its end is not checked.
    pub(super) reported: bool,
}

impl<'t> OwnTransaction<'t> {
    /// Adds a statement, which is possibly `wrong`.
    pub(super) fn take(&mut self, kind: StatementKind, statement: Statement<'t>, wrong: bool) {
        self.reported |=
            wrong && (kind.opens() || matches!(kind, StatementKind::TransactionControl(_)));
        if kind.opens() {
            self.begun.get_or_insert(statement);
            self.depth += 1;
        } else if kind.closes() {
            self.depth = self.depth.saturating_sub(1);
        }
        if self.depth == 0 {
            *self = OwnTransaction::default();
        }
    }
}

/// What is wrong with a statement in a script that runs in the run's transaction.
pub(super) fn in_our_transaction(
    kind: StatementKind,
    inside: bool,
    alone: bool,
) -> Option<Problem> {
    let beside = if alone { Beside::Nothing } else { Beside::Others };
    match kind {
        StatementKind::Begin if inside => Some(control("BEGIN inside BEGIN")),
        StatementKind::Commit if !inside => Some(Problem::UnbegunCommit),
        StatementKind::TransactionControl(words) => Some(control(words)),
        StatementKind::OutsideTransaction(words) => {
            Some(Problem::OutsideTransaction { statement: words.to_owned(), beside })
        }
        other => never(other),
    }
}

/// What is wrong with a statement in a script that runs statement by statement.
pub(super) fn in_no_transaction(kind: StatementKind, inside: bool) -> Option<Problem> {
    match kind {
        kind if kind.opens() && inside => Some(control("BEGIN inside BEGIN")),
        kind if kind.closes() && !inside => Some(Problem::UnbegunCommit),
        StatementKind::TransactionControl(words @ ("PREPARE TRANSACTION" | "COMMIT AND CHAIN")) => {
            Some(control(words))
        }
        StatementKind::OutsideTransaction(words) if inside => {
            Some(Problem::OutsideTransaction { statement: words.to_owned(), beside: Beside::Begin })
        }
        other => never(other),
    }
}

/// What is wrong with a statement wherever it is.
fn never(kind: StatementKind) -> Option<Problem> {
    match kind {
        StatementKind::CopyOut => Some(Problem::CopyOut),
        StatementKind::CopyWithoutData => Some(Problem::CopyWithoutData),
        _ => None,
    }
}

fn control(words: &str) -> Problem {
    Problem::TransactionControl { statement: words.to_owned() }
}
