//! Measures what is known of down scripts: each is run after its up script, and the catalogs after both are
//! compared with those before.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use migrate_runtime::{Migrations, Migrator};
use migrate_set::set::{Migration, Script};
use migrate_source::check::{Checked, Down, Lints, Objects, SetOptions, Undoing, check};
use migrate_tests::database::FreshDatabase;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::corpus::{self, FOLDER, Project};
use crate::judge::set_of;
use crate::verdict::key;

/// All objects of a database, as `check_reversible` compares them.
const OBJECTS: &str = include_str!("../../../../migrate-testing/src/catalog.sql");

/// What the server does with a down script; `None` if it cannot run in a transaction.
type Real = Option<Undoing>;

/// Measures the projects of the folder, and whether the targets are met.
pub(crate) async fn measure(folder: &Path, only: &str) -> bool {
    let mut tally = Tally::default();
    let mut known = Known::open(&folder.join("downs"));
    for project in corpus::read(folder, only) {
        let project = match with_downs(project) {
            Ok(project) => project,
            Err(why) => {
                println!("not measured: {why}");
                continue;
            }
        };
        let Some(set) = set_of(&project, &project.files) else { continue };
        let real = known.of(&project, &set).await;
        let (reported, findings) = reported(&project);
        for (file, real) in real {
            if let (Some(real), Some(reported)) = (real, reported.get(&file)) {
                let found = findings.get(&file).cloned().unwrap_or_default();
                tally.add(*reported, real, &format!("{}/{file}\n{found}", project.name));
            }
        }
    }
    tally.write(folder);
    println!("{tally}");
    tally.meets_targets()
}

/// The project with its down scripts, without those that are no scripts; or why it is not a set.
fn with_downs(mut project: Project) -> Result<Project, String> {
    project.options.down = Down::Optional;
    let options = SetOptions { objects: Objects::Off, ..project.options.clone() };
    while let Err(errors) = check(FOLDER, &project.files, &options) {
        let before = project.files.len();
        let is_wrong = |path: &str| errors.0.iter().any(|error| error.file().ends_with(path));
        project.files.retain(|file| !(file.path.contains("down") && is_wrong(&file.path)));
        if project.files.len() == before {
            let first = errors.0.first().map(ToString::to_string).unwrap_or_default();
            return Err(format!("{}: {}", project.name, first.lines().next().unwrap_or_default()));
        }
    }
    Ok(project)
}

/// What the check reports of each down script, and its findings.
fn reported(project: &Project) -> (BTreeMap<String, Undoing>, BTreeMap<String, String>) {
    let options =
        SetOptions { lints: Lints::Warn, objects: Objects::Off, ..project.options.clone() };
    let Ok(Checked { downs, warnings, .. }) = check(FOLDER, &project.files, &options) else {
        return Default::default();
    };
    let mut findings: BTreeMap<String, String> = BTreeMap::new();
    for warning in warnings.iter().filter(|one| one.to_string().contains("the down script")) {
        let file = warning.file().trim_start_matches(FOLDER).trim_start_matches('/');
        let text = findings.entry(file.to_owned()).or_default();
        text.push_str(warning.to_string().lines().next().unwrap_or_default());
        text.push('\n');
    }
    (downs.into_iter().collect(), findings)
}

/// What the server did, kept in a file.
struct Known {
    path: PathBuf,
    known: HashMap<String, Real>,
}

impl Known {
    fn open(path: &Path) -> Known {
        let text = fs::read_to_string(path).unwrap_or_default();
        let known = text.lines().filter_map(|line| {
            let (key, word) = line.rsplit_once('\t')?;
            Some((key.to_owned(), real(word)))
        });
        Known { path: path.to_owned(), known: known.collect() }
    }

    /// What the server does with the down scripts of a project, by their files.
    async fn of(&mut self, project: &Project, set: &Migrations) -> Vec<(String, Real)> {
        let digest = key(&project.before, &project.files);
        let file = |one: &Migration| one.down().map(|down| down.filename().to_owned());
        let files: Vec<String> = set.iter().filter_map(file).collect();
        let name = |file: &String| format!("{digest:016x}\t{file}");
        if files.is_empty() {
            return Vec::new();
        }
        if !self.known.contains_key(&name(&String::new())) {
            let mut lines = vec![format!("{}\tdone\n", name(&String::new()))];
            for (file, real) in judged(project, set).await {
                lines.push(format!("{}\t{real:?}\n", name(&file)));
                self.known.insert(name(&file), real);
            }
            let open = OpenOptions::new().create(true).append(true).open(&self.path);
            open.and_then(|mut kept| kept.write_all(lines.concat().as_bytes()))
                .expect("the verdicts");
        }
        let found = |file: String| self.known.get(&name(&file)).map(|real| (file, *real));
        files.into_iter().filter_map(found).collect()
    }
}

fn real(word: &str) -> Real {
    [Undoing::Undoes, Undoing::Differs, Undoing::Fails]
        .into_iter()
        .find(|one| format!("{:?}", Some(*one)) == word)
}

/// Applies the set migration by migration, and tries each down script before the next.
async fn judged(project: &Project, set: &Migrations) -> Vec<(String, Real)> {
    let database = FreshDatabase::create().await;
    let (mut client, looking) = (database.connect().await, database.connect().await);
    client.batch_execute(&project.before).await.expect("what is before the set");
    let mut all = Vec::new();
    let mut before = objects(&looking).await;
    for migration in set {
        let migrator = Migrator::new(set).to(migration.version().clone());
        if migrator.run(&mut client).await.is_err() {
            break;
        }
        let after = objects(&looking).await;
        if let Some(down) = migration.down() {
            all.push((down.filename().to_owned(), undone(&client, down, &before).await));
        }
        before = after;
    }
    all
}

/// What a down script does, which is undone.
async fn undone(client: &Client, down: &Script, before: &BTreeMap<String, String>) -> Real {
    client.batch_execute("BEGIN").await.expect("BEGIN");
    let mut real = Some(Undoing::Undoes);
    for (start, end) in down.single_statements() {
        let text = down.text()[start..end].replace("CONCURRENTLY", "");
        let text = text.replace("concurrently", "");
        if let Err(error) = client.batch_execute(&text).await {
            let code = error.code().map(|code| code.code().to_owned());
            // A statement that runs outside a transaction only.
            real = (code.as_deref() != Some("25001")).then_some(Undoing::Fails);
            break;
        }
    }
    if real == Some(Undoing::Undoes) && objects(client).await != *before {
        real = Some(Undoing::Differs);
    }
    client.batch_execute("ROLLBACK").await.expect("ROLLBACK");
    real
}

/// All objects, each with its definition.
async fn objects(client: &Client) -> BTreeMap<String, String> {
    client.batch_execute("SET search_path = ''; SET jit = off").await.expect("SET");
    let sql = OBJECTS.replace("{ledgers}", "'public.migration_ledger'");
    let rows = client.simple_query(&sql.replace("{subscription}", "*")).await.expect("catalogs");
    let row = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            let text = |at| row.get(at).unwrap_or_default().to_owned();
            Some((text(0), text(2)))
        }
        _ => None,
    };
    rows.into_iter().filter_map(row).collect()
}

/// How often each was reported, by what the server did.
#[derive(Default)]
struct Tally {
    counts: HashMap<(Undoing, Undoing), usize>,
    wrong: Vec<String>,
}

const ALL: [Undoing; 4] = [Undoing::Undoes, Undoing::Differs, Undoing::Fails, Undoing::Unknown];

impl Tally {
    fn add(&mut self, reported: Undoing, real: Undoing, what: &str) {
        *self.counts.entry((reported, real)).or_default() += 1;
        if reported != real {
            self.wrong.push(format!("reported {reported:?}, is {real:?}: {what}"));
        }
    }

    fn count(&self, reported: Undoing, real: Undoing) -> usize {
        self.counts.get(&(reported, real)).copied().unwrap_or_default()
    }

    fn reported(&self, reported: Undoing) -> usize {
        ALL.iter().map(|real| self.count(reported, *real)).sum()
    }

    /// The part of what was reported that is right, in percent.
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    fn right(&self, reported: Undoing) -> f64 {
        self.count(reported, reported) as f64 * 100.0 / self.reported(reported).max(1) as f64
    }

    fn write(&mut self, folder: &Path) {
        self.wrong.sort_unstable();
        fs::write(folder.join("downs-wrong"), self.wrong.join("\n")).expect("a list");
    }

    fn meets_targets(&self) -> bool {
        let all: usize = ALL.iter().map(|reported| self.reported(*reported)).sum();
        self.right(Undoing::Undoes) >= 98.7
            && self.right(Undoing::Differs) >= 91.8
            && self.right(Undoing::Fails) >= 99.0
            && self.reported(Undoing::Unknown) * 20 <= all
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<10} {:>7} {:>8} {:>7} {:>7}",
            "reported", "undoes", "differs", "fails", "right"
        )?;
        for reported in ALL {
            let [undoes, differs, fails, _] = ALL.map(|real| self.count(reported, real));
            let (word, right) = (format!("{reported:?}").to_lowercase(), self.right(reported));
            writeln!(f, "{word:<10} {undoes:>7} {differs:>8} {fails:>7} {right:>6.1} %")?;
        }
        Ok(())
    }
}
