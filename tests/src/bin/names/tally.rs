//! Counts the results of all projects, prints them as tables, and lists each mistake of the check.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use migrate_source::check::SourceError;

use crate::mutant::Mutant;
use crate::verdict::Verdict;

/// What became of a mutant.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) findings: Vec<SourceError>,
    /// Whether the first finding is at what the server refused.
    pub(crate) place: bool,
}

/// Figures of one row of a table.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    refused: usize,
    found: usize,
    placed: usize,
    taken: usize,
    wrong: usize,
}

impl Row {
    fn add(&mut self, other: Row) {
        self.refused += other.refused;
        self.found += other.found;
        self.placed += other.placed;
        self.taken += other.taken;
        self.wrong += other.wrong;
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { refused, found, placed, taken, wrong } = self;
        let share = percent(*found, *refused);
        let place = percent(*placed, *found);
        write!(f, "{refused:>7} {found:>7} {share:>6.1} {place:>7.1} {taken:>7} {wrong:>6}")
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// The results of several projects.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    projects: usize,
    excluded: Vec<String>,
    begun: Vec<String>,
    rejected: Vec<String>,
    by_kind: BTreeMap<String, Row>,
    by_code: BTreeMap<String, Row>,
    missed: Vec<String>,
    wrong: Vec<String>,
    misplaced: Vec<String>,
}

impl Tally {
    /// A project that cannot be measured.
    pub(crate) fn excluded(&mut self, name: &str, why: &str) {
        self.excluded.push(format!("{name}: {why}"));
    }

    /// A project that the server takes: each finding is a false rejection, unless the option that it
    /// names is enough.
    pub(crate) fn project(&mut self, name: &str, findings: &[SourceError], is_enough: bool) {
        self.projects += 1;
        if is_enough {
            self.begun.push(name.to_owned());
        } else if !findings.is_empty() {
            let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
            self.rejected.push(format!("{name}: {}\n{}", findings.len(), texts.join("\n")));
        }
    }

    pub(crate) fn mutant(&mut self, project: &str, mutant: &Mutant, outcome: &Outcome) {
        let is_found = !outcome.findings.is_empty();
        let first = outcome.findings.first().map(ToString::to_string).unwrap_or_default();
        let what = format!("{} in {project} {}\n    {}", mutant.kind, mutant.path, mutant.line);
        let mut row = Row::default();
        let mut code = "taken".to_owned();
        if let Verdict::Refused(refusal) = &outcome.verdict {
            row.refused = 1;
            row.found = usize::from(is_found);
            row.placed = usize::from(is_found && outcome.place);
            code.clone_from(&refusal.sqlstate);
            let at = refusal.position.map_or_else(String::new, |at| format!(":{at}"));
            let server = format!("{code} {}{at}: {}", refusal.file, refusal.message);
            if !is_found {
                self.missed.push(format!("{server}\n    {what}"));
            } else if !outcome.place {
                self.misplaced.push(format!("{server}\n    {what}\n{first}"));
            }
        } else {
            row.taken = 1;
            row.wrong = usize::from(is_found);
            if is_found {
                self.wrong.push(format!("{what}\n{first}"));
            }
        }
        self.by_kind.entry(mutant.kind.clone()).or_default().add(row);
        self.by_code.entry(code).or_default().add(row);
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.projects += other.projects;
        self.excluded.extend(other.excluded);
        self.begun.extend(other.begun);
        self.rejected.extend(other.rejected);
        self.missed.extend(other.missed);
        self.wrong.extend(other.wrong);
        self.misplaced.extend(other.misplaced);
        for (kind, row) in other.by_kind {
            self.by_kind.entry(kind).or_default().add(row);
        }
        for (code, row) in other.by_code {
            self.by_code.entry(code).or_default().add(row);
        }
    }

    /// Writes what the check did wrong to files of the folder.
    ///
    /// # Panics
    ///
    /// When they cannot be written.
    pub(crate) fn write(&mut self, folder: &Path) {
        let lists = [
            ("rejected", &mut self.rejected),
            ("missed", &mut self.missed),
            ("wrong", &mut self.wrong),
            ("misplaced", &mut self.misplaced),
        ];
        for (name, list) in lists {
            list.sort_unstable();
            fs::write(folder.join(name), list.join("\n\n") + "\n").expect("a list");
        }
    }

    /// Whether the figures are as good as they have to be.
    pub(crate) fn meets_targets(&self) -> bool {
        let all = self.all();
        self.rejected.is_empty()
            && percent(all.found, all.refused) >= 92.0
            && percent(all.wrong, all.taken) <= 0.2
            && percent(all.placed, all.found) >= 95.0
    }

    fn all(&self) -> Row {
        let mut all = Row::default();
        self.by_kind.values().for_each(|row| all.add(*row));
        all
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for excluded in &self.excluded {
            writeln!(f, "not measured: {excluded}")?;
        }
        for rejected in &self.rejected {
            let first: Vec<&str> = rejected.lines().take(2).collect();
            writeln!(f, "refused: {}", first.join(" "))?;
        }
        for begun in &self.begun {
            writeln!(f, "taken with `begins = existing`, as the message says: {begun}")?;
        }
        let (projects, rejected) = (self.projects, self.rejected.len());
        writeln!(f, "{projects} projects that apply, {rejected} refused")?;
        for table in [&self.by_kind, &self.by_code] {
            writeln!(f, "\n{:<24} refused   found      %  placed   taken  wrong", "")?;
            for (name, row) in table {
                writeln!(f, "{name:<24} {row}")?;
            }
            writeln!(f, "{:<24} {}", "all", self.all())?;
        }
        Ok(())
    }
}
