//! Finds statements that a transaction cannot run because of an earlier statement of the same set.

use std::collections::{HashMap, HashSet};

use migrate_set::name::shown;
use migrate_set::set::{Migration, TransactionMode};
use migrate_set::sql::kind::{self, StatementKind};
use migrate_set::sql::lexer::lex;
use migrate_set::sql::split::{Statement, split};

use super::error::SourceError;
use super::mistakes::{Mistake, placed};
use super::problem::{Beside, Problem};

/// The use of a value that a script adds to an enum in a block of its own: psql commits there, and here the blocks
/// are one transaction, in which PostgreSQL does not allow it (55P04).
pub(super) fn early_value(text: &str, statements: &[Statement<'_>]) -> Option<Mistake> {
    let upper = text.to_ascii_uppercase();
    // A type of the same transaction can be used at once.
    if !upper.contains("ADD VALUE") || upper.contains("CREATE TYPE") {
        return None;
    }
    let (mut added, mut committed) = (HashSet::new(), HashSet::new());
    for statement in statements {
        let mut words = statement.significant();
        if let Some(used) = words.find(|word| committed.contains(word.text(text))) {
            let value = used.text(text).to_owned();
            let problem = Problem::EarlyValue { value };
            return Some(Mistake { span: Some(used.start..used.end), problem });
        }
        added.extend(kind::added_value(text, statement));
        if kind::kind(text, statement) == StatementKind::Commit {
            committed.extend(added.drain());
        }
    }
    None
}

/// The calls, in a transaction, of procedures that the set made and that commit (2D000).
pub(super) fn committing_calls(folder: &str, migrations: &[Migration]) -> Vec<SourceError> {
    let mut commits: HashMap<String, bool> = HashMap::new();
    let mut errors = Vec::new();
    for script in migrations.iter().map(Migration::up) {
        let upper = script.text().to_ascii_uppercase();
        // Checked first, because it is cheap and few scripts have either.
        if !upper.contains("PROCEDURE") && (commits.is_empty() || !upper.contains("CALL")) {
            continue;
        }
        let alone = script.statements().len() == 1;
        let beside = if alone { Beside::Nothing } else { Beside::Others };
        let mut mistakes = Vec::new();
        for (start, end) in script.single_statements() {
            let text = &script.text()[start..end];
            let tokens = lex(text);
            let Some(statement) = split(text, &tokens).ok().and_then(|one| one.into_iter().next())
            else {
                continue;
            };
            commits.extend(kind::committing(text, &statement));
            let called =
                kind::called(text, &statement).filter(|name| commits.get(name) == Some(&true));
            if let (Some(name), TransactionMode::Transactional) = (called, script.transaction()) {
                let statement = format!("CALL of `{name}`, which commits,");
                let problem = Problem::OutsideTransaction { statement, beside };
                mistakes.push(Mistake { span: Some(start..start + "CALL".len()), problem });
            }
        }
        errors.extend(placed(&shown(folder, script.filename()), script.text(), mistakes));
    }
    errors
}
