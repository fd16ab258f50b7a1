//! Checks the statements of a set, all at once to use all cores: against PostgreSQL's grammar, and the
//! names in them. Without the feature `syntax`, every statement passes.

use std::collections::BTreeMap;
use std::ops::Range;

use migrate_set::sort::sort_by_key;

use super::error::SourceError;
use super::mistakes::{Mistake, placed};
use super::problem::Problem;
use super::{Down, Lints, SetOptions};
use crate::lint::Finding;
use crate::objects::Undoing;
use crate::schema::SetSchema;

/// What is wrong with the statements of a set.
#[derive(Default)]
pub(super) struct Read {
    /// Statements that the grammar does not accept.
    pub(super) invalid: Vec<SourceError>,
    /// Names of objects that nothing made, or that are made twice.
    pub(super) unknown: Vec<SourceError>,
    /// Those in bodies, which the server checks when they run.
    pub(super) late: Vec<SourceError>,
    /// What the lints find that is a mistake.
    pub(super) denied: Vec<SourceError>,
    /// What the lints find that is a warning.
    pub(super) warned: Vec<SourceError>,
    /// What is known of each down script, by its file.
    pub(super) downs: Vec<(String, Undoing)>,
    /// The schema that the set makes, if it is asked for.
    pub(super) schema: SetSchema,
}

/// The checks that files allow, by path.
type Allows = BTreeMap<String, Vec<&'static str>>;

impl Read {
    /// Sorts what the lints found into mistakes and warnings. Each finding has the number of its file, of which the
    /// name and the text are in `files`.
    fn take_lints(
        &mut self,
        folder: &str,
        files: &[(&str, &str)],
        found: Vec<(usize, Finding)>,
        options: &SetOptions,
    ) {
        let is_asked =
            |(_, one): &(usize, Finding)| options.lints != Lints::Off || one.lint.is_of_down();
        let found = found.into_iter().filter(is_asked);
        let (denied, warned) = found.partition(|(_, finding)| {
            let by_down = finding.lint.is_of_down() && options.down == Down::Complete;
            by_down || options.lints == Lints::Deny
        });
        let spanned = |finding: Finding| (finding.span.clone(), Problem::Lint(finding));
        self.denied = reported(folder, files, denied, spanned);
        self.warned = reported(folder, files, warned, spanned);
    }
}

/// The findings with their places; each has the number of its file.
fn reported<F>(
    folder: &str,
    files: &[(&str, &str)],
    mut found: Vec<(usize, F)>,
    problem: impl Fn(F) -> (Option<Range<usize>>, Problem),
) -> Vec<SourceError> {
    sort_by_key(&mut found, |(number, _)| *number);
    let mut found = found.into_iter().peekable();
    let mut errors = Vec::new();
    while let Some(number) = found.peek().map(|(number, _)| *number) {
        let mut mistakes = Vec::new();
        while let Some((_, finding)) = found.next_if(|(next, _)| *next == number) {
            let (span, problem) = problem(finding);
            mistakes.push(Mistake { span, problem });
        }
        if let Some((name, text)) = files.get(number) {
            errors.extend(placed(folder, name, text, mistakes));
        }
    }
    errors
}

#[cfg(not(feature = "syntax"))]
pub(super) fn check(
    folder: &str,
    migrations: &[migrate_set::set::Migration],
    allows: &Allows,
    options: &SetOptions,
    _: super::Schema,
) -> Read {
    use migrate_set::set::Migration;

    use crate::lint::Script;
    use crate::lint::known::Nothing;

    let (mut read, mut found) = (Read::default(), Vec::new());
    if options.lints == Lints::Off {
        return read;
    }
    let ups: Vec<_> = migrations.iter().map(Migration::up).collect();
    for (number, up) in ups.iter().enumerate() {
        let mut script = Script::of(up.transaction());
        for (start, end) in up.single_statements() {
            script.read_at(&up.text()[start..end], start, &Nothing);
        }
        found.extend(script.findings.into_iter().map(|finding| (number, finding)));
    }
    let files: Vec<(&str, &str)> = ups.iter().map(|up| (up.filename(), up.text())).collect();
    found.retain(|(number, finding)| {
        let name = files.get(*number).map_or("", |(name, _)| *name);
        !allows.get(name).is_some_and(|checks| checks.contains(&finding.lint.as_str()))
    });
    read.take_lints(folder, &files, found, options);
    read
}

#[cfg(feature = "syntax")]
pub(super) use checked::check;
#[cfg(all(feature = "syntax", feature = "command-line"))]
pub(super) use checked::read_ups;

#[cfg(feature = "syntax")]
mod checked {
    use std::sync::OnceLock;

    use migrate_set::set::{Ends, Migration, Script};

    use super::super::mistakes::{Mistake, placed};
    use super::super::problem::Problem;
    use super::super::{Down, Lints, Objects, Schema, SetOptions, SourceError, Syntax};
    use super::{Allows, Read, reported};
    use crate::catalog::{Asked, File, Found, Statement, follow};
    use crate::lint::{Finding, Lint};
    use crate::objects::ObjectProblem;
    use crate::syntax::{Judged, SyntaxError, judge_all};

    /// Reads each statement once. Skips files that allow what is wrong with them, and unchecked down
    /// scripts; names are those of up scripts.
    pub(crate) fn check(
        folder: &str,
        migrations: &[Migration],
        allows: &Allows,
        options: &SetOptions,
        schema: Schema,
    ) -> Read {
        let allowed = |file: &str, check: &str| {
            allows.get(file).is_some_and(|checks| checks.contains(&check))
        };
        let describes = schema == Schema::Described;
        let scripts = scripts(migrations, options, describes, &allowed);
        let (ups, begins, lints) = (migrations.len(), options.begins, has_lints(options));
        judged(&scripts, |judged| {
            let mut read = Read::default();
            let files = scripts.iter().filter_map(|script| {
                let mut judged: Vec<Judged> = judged.take(script.places.len()).collect();
                if script.judged {
                    read.invalid.extend(script.invalid(folder, &mut judged));
                }
                let allows_names = || allowed(script.script.filename(), "names");
                script.named.then(|| script.file(judged, allows_names()))
            });
            let (files, mut found) = follow(files, Asked { ups, begins, lints, describes });
            if options.objects == Objects::Off || !read.invalid.is_empty() {
                found.names.clear();
            }
            read.take_found(folder, &files, found, allowed, options);
            read
        })
    }

    impl Read {
        /// Sorts what was found in a set, without what its files allow.
        fn take_found(
            &mut self,
            folder: &str,
            files: &[File<'_>],
            mut found: Found,
            allowed: impl Fn(&str, &str) -> bool,
            options: &SetOptions,
        ) {
            let in_either = |number: usize, check: &str| {
                let of = files.iter().filter(|file| file.down == Some(number));
                of.chain(files.get(number)).any(|file| allowed(file.name, check))
            };
            found.lints.retain(|(number, one)| !in_either(*number, one.lint.as_str()));
            once(&mut found, options);
            let files: Vec<(&str, &str)> =
                files.iter().map(|file| (file.name, file.text)).collect();
            let (late, unknown) = found.names.into_iter().partition(|(_, one)| one.is_late);
            let spanned = |one: ObjectProblem| (Some(one.span.clone()), Problem::Object(one));
            self.unknown = reported(folder, &files, unknown, spanned);
            self.late = reported(folder, &files, late, spanned);
            self.take_lints(folder, &files, found.lints, options);
            let name = |number: usize| files.get(number).map(|(name, _)| (*name).to_owned());
            let downs = found.downs.into_iter();
            self.downs = downs.filter_map(|(number, down)| Some((name(number)?, down))).collect();
            self.schema = found.schema;
        }
    }

    fn has_lints(options: &SetOptions) -> bool {
        options.lints != Lints::Off || options.down == Down::Complete
    }

    /// The up scripts, then the down scripts that are read.
    fn scripts<'s>(
        migrations: &'s [Migration],
        options: &SetOptions,
        describes: bool,
        allowed: &impl Fn(&str, &str) -> bool,
    ) -> Vec<Judging<'s>> {
        let (syntax, lints) = (options.syntax == Syntax::Check, has_lints(options));
        let named = options.objects != Objects::Off || lints || describes;
        let reads_downs = (syntax || lints) && options.down != Down::Unchecked;
        let down = |migration: &'s Migration| migration.down().filter(|_| reads_downs);
        let mut downs = migrations.len()..;
        let ups = migrations.iter().map(|migration| {
            let down = down(migration).and_then(|_| downs.next());
            (migration.up(), named, down)
        });
        let ups: Vec<_> = ups.collect();
        let downs = migrations.iter().filter_map(down).map(|down| (down, lints, None));
        let scripts = ups.into_iter().chain(downs).map(|(script, named, down)| {
            let judged = syntax && !allowed(script.filename(), "syntax");
            let places =
                if judged || named { script.single_statements().collect() } else { Vec::new() };
            Judging { script, judged, named, down: down.filter(|_| lints), places }
        });
        scripts.collect()
    }

    /// What `end` makes of the verdicts on the statements of these scripts, in order.
    fn judged<E: Default + Send>(
        scripts: &[Judging<'_>],
        end: impl FnOnce(&mut dyn Iterator<Item = Judged>) -> E + Send,
    ) -> E {
        judge_all(&scripts.iter().flat_map(Judging::texts).collect::<Vec<_>>(), end)
    }

    /// Keeps one of what the check of names and a lint both find: that something is dropped which a view reads. It is
    /// the lint's if that is a mistake: the other may not be reported beside it.
    fn once(found: &mut Found, options: &SetOptions) {
        let Found { names, lints, .. } = found;
        let is_same = |(number, lint): &(usize, Finding),
                       (other, name): &(usize, ObjectProblem)| {
            let spans = lint.span.as_ref().is_some_and(|span| span.contains(&name.span.start));
            number == other && lint.lint == Lint::StillRead && !name.is_late && spans
        };
        if options.lints == Lints::Deny {
            names.retain(|name| !lints.iter().any(|lint| is_same(lint, name)));
        } else {
            lints.retain(|lint| !names.iter().any(|name| is_same(lint, name)));
        }
    }

    /// The up scripts of these migrations with the trees of their statements.
    #[cfg(feature = "command-line")]
    pub(crate) fn read_ups<'s>(migrations: impl Iterator<Item = &'s Migration>) -> Vec<File<'s>> {
        let scripts = migrations.map(Migration::up).map(|script| {
            let places = script.single_statements().collect();
            Judging { script, judged: false, named: true, down: None, places }
        });
        let scripts: Vec<Judging<'s>> = scripts.collect();
        judged(&scripts, |judged| {
            let file = |script: &Judging<'s>| {
                script.file(judged.take(script.places.len()).collect(), false)
            };
            scripts.iter().map(file).collect()
        })
    }

    /// A script, and where its statements are.
    struct Judging<'s> {
        script: &'s Script,
        /// Whether it is checked against the grammar.
        judged: bool,
        /// Whether it is followed.
        named: bool,
        /// The number of its down script, if that is read too.
        down: Option<usize>,
        places: Vec<(usize, usize)>,
    }

    impl<'s> Judging<'s> {
        fn texts(&self) -> impl Iterator<Item = &'s str> {
            let text = self.script.text();
            self.places.iter().map(move |&(start, end)| &text[start..end])
        }

        /// The errors in the statements that the grammar does not accept.
        fn invalid(&self, folder: &str, judged: &mut [Judged]) -> Vec<SourceError> {
            let errors = self.places.iter().zip(judged).filter_map(|(place, judged)| {
                let SyntaxError { span, message, help } = judged.error.take()?;
                let span = Some(place.0 + span.start..place.0 + span.end);
                Some(Mistake { span, problem: Problem::Syntax { message, help } })
            });
            let errors: Vec<Mistake> = errors.collect();
            placed(folder, self.script.filename(), self.script.text(), errors)
        }

        fn file(&self, judged: Vec<Judged>, is_allowed: bool) -> File<'s> {
            let starts = self.places.iter().map(|place| place.0);
            let statements = starts.zip(self.texts()).zip(judged);
            let statement = |((offset, text), judged)| Statement { text, offset, judged };
            File {
                name: self.script.filename(),
                text: self.script.text(),
                statements: statements.map(statement).collect(),
                ends_with_function: self.script.ends() == Ends::WithFunction,
                is_allowed,
                mode: self.script.transaction(),
                down: self.down,
                feeds: OnceLock::new(),
            }
        }
    }
}
