//! Measures one project: the set itself, then its mutants.

use migrate_set::location::Position;
use migrate_set::set::digest_of;
use migrate_source::check::{Begins, SetOptions, SourceError, SourceFile, check};
use migrate_tests::proof::dice::Dice;

use crate::corpus::{FOLDER, Project};
use crate::judge::{Judge, set_of};
use crate::mutant::{Material, Mutant};
use crate::objects::Words;
use crate::tally::{Outcome, Tally};
use crate::verdict::{Refusal, Verdict};

/// Adds the results of a project to the tally.
pub(crate) async fn measure(
    project: &Project,
    judge: &Judge,
    count: usize,
    seed: u64,
    tally: &mut Tally,
) {
    let Some(set) = set_of(project, &project.files) else {
        return tally.excluded(&project.name, "is not a valid set");
    };
    let verdict = judge.project(project, &set).await;
    if let Verdict::Refused(refusal) = &verdict {
        return tally.excluded(&project.name, &format!("does not apply: {}", refusal.message));
    }
    let Some(options) = options(project, tally) else { return };
    let mut dice = Dice::new(seed ^ digest_of(project.name.as_bytes()));
    let mutants = Material::new(&set, &project.files).mutants(count, &mut dice);
    let files = |mutant: Mutant| {
        let files = mutant.apply(&project.files);
        (mutant, files)
    };
    let mutants: Vec<(Mutant, Vec<SourceFile>)> = mutants.into_iter().map(files).collect();
    let verdicts = judge.mutants(project, &set, &mutants).await;
    for ((mutant, files), verdict) in mutants.iter().zip(verdicts) {
        if verdict == Verdict::Unjudged {
            continue;
        }
        let findings = findings(&options, files);
        let place = match (findings.first(), &verdict) {
            (Some(found), Verdict::Refused(refusal)) => is_at(found, mutant, refusal, files),
            _ => true,
        };
        tally.mutant(&project.name, mutant, &Outcome { verdict, findings, place });
    }
}

/// The options of the project: the default ones, or those that the findings in it name; `None` if it is
/// refused with these too.
fn options(project: &Project, tally: &mut Tally) -> Option<SetOptions> {
    let options = project.options.clone();
    let found = findings(&options, &project.files);
    let existing = SetOptions { begins: Begins::Existing, ..options.clone() };
    let names_it = found.iter().any(|error| error.help().to_string().contains("begins"));
    let is_enough = names_it && findings(&existing, &project.files).is_empty();
    tally.project(&project.name, &found, is_enough);
    if is_enough {
        return Some(existing);
    }
    found.is_empty().then_some(options)
}

/// What the check finds in a set.
fn findings(options: &SetOptions, files: &[SourceFile]) -> Vec<SourceError> {
    check(FOLDER, files, options).err().map(|errors| errors.0).unwrap_or_default()
}

/// Whether the finding is at what the server refused: at its position, at the name that was misspelt, or
/// at a name of its message in the same file.
fn is_at(found: &SourceError, mutant: &Mutant, refusal: &Refusal, files: &[SourceFile]) -> bool {
    let Some(at) = found.position() else { return false };
    if found.file() != refusal.file {
        return false;
    }
    let path = refusal.file.strip_prefix(FOLDER).unwrap_or_default().trim_start_matches('/');
    let is_misspelt = path == mutant.path && mutant.places.contains(&at);
    let file = files.iter().find(|file| file.path == path);
    let name = file.and_then(|file| name_at(file, at));
    let is_named = name.is_some_and(|name| refusal.message.contains(&name));
    is_misspelt || refusal.position == Some(at) || is_named
}

/// The last part of the name, or the contents of the string, that begins at `at`.
fn name_at(file: &SourceFile, at: Position) -> Option<String> {
    let text = std::str::from_utf8(&file.bytes).ok()?;
    let line = text.lines().nth(at.line as usize - 1)?;
    let rest: String = line.chars().skip(at.column as usize - 1).collect();
    let words = Words::of(&rest);
    let string = rest.strip_prefix('\'').and_then(|rest| rest.split('\'').next());
    string.map(str::to_owned).or_else(|| words.name(words.last_part(0)))
}
