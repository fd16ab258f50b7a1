//! Lets the server judge sets: each mutant in a copy of the database before the first changed migration.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use migrate_runtime::error::Place;
use migrate_runtime::{ErrorKind, Migrations, Migrator};
use migrate_source::check::{Checked, Objects, SetOptions, SourceFile, check};
use migrate_tests::database::{connect, server};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::corpus::{FOLDER, Project};
use crate::mutant::Mutant;
use crate::verdict::{Refusal, Verdict, Verdicts, key};

/// The server, and its verdicts so far.
pub(crate) struct Judge {
    verdicts: Verdicts,
    next: AtomicUsize,
}

impl Judge {
    pub(crate) fn new(verdicts: Verdicts) -> Judge {
        Judge { verdicts, next: AtomicUsize::new(0) }
    }

    /// The verdict on the project as it is.
    pub(crate) async fn project(&self, project: &Project, set: &Migrations) -> Verdict {
        let key = key(&project.before, &project.files);
        if let Some(verdict) = self.verdicts.of(key) {
            return verdict;
        }
        let base = self.base(project).await;
        let verdict = run(&Migrator::new(set), &base).await;
        base.drop().await;
        self.verdicts.add(key, &verdict);
        verdict
    }

    /// The verdicts on `mutants`, which are ordered by the first migration that they change.
    pub(crate) async fn mutants(
        &self,
        project: &Project,
        set: &Migrations,
        mutants: &[(Mutant, Vec<SourceFile>)],
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let mut base: Option<Database> = None;
        for (mutant, files) in mutants {
            let key = key(&project.before, files);
            if let Some(known) = self.verdicts.of(key) {
                verdicts.push(known);
                continue;
            }
            let verdict = match set_of(project, files) {
                None => Verdict::Unjudged,
                Some(mutated) => {
                    if base.is_none() {
                        base = Some(self.base(project).await);
                    }
                    let base = base.as_ref().expect("a database");
                    advance(base, set, mutant.at).await;
                    let copy = self.copy(&base.name).await;
                    let verdict = run(&Migrator::new(&mutated), &copy).await;
                    copy.drop().await;
                    verdict
                }
            };
            self.verdicts.add(key, &verdict);
            verdicts.push(verdict);
        }
        if let Some(base) = base {
            base.drop().await;
        }
        verdicts
    }

    /// A database with what the project has before its set.
    async fn base(&self, project: &Project) -> Database {
        let database = self.copy("template0").await;
        let client = database.connect().await;
        client.batch_execute(&project.before).await.expect("what is before the set");
        database
    }

    async fn copy(&self, template: &str) -> Database {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("names_{}_{number}", std::process::id());
        let client = connect(&server().url().parse().expect("an address")).await;
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        // The session that was just closed in the template may still be there.
        while let Err(error) = client.batch_execute(&create).await {
            assert_eq!(error.code(), Some(&SqlState::OBJECT_IN_USE), "{error:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Database { name }
    }
}

/// A database of this proof.
struct Database {
    name: String,
}

impl Database {
    async fn connect(&self) -> Client {
        connect(&server().url_for(&self.name).parse().expect("an address")).await
    }

    async fn drop(self) {
        let client = connect(&server().url().parse().expect("an address")).await;
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        client.batch_execute(&drop).await.expect("DROP DATABASE");
    }
}

/// The set of the files, without a check of names; `None` if it is refused for another reason.
pub(crate) fn set_of(project: &Project, files: &[SourceFile]) -> Option<Migrations> {
    let options = SetOptions { objects: Objects::Off, ..project.options.clone() };
    check(FOLDER, files, &options).ok().map(|Checked { set, .. }| set)
}

/// Applies the migrations before number `at`, if they are not applied yet.
async fn advance(base: &Database, set: &Migrations, at: usize) {
    let Some(last) = at.checked_sub(1).and_then(|last| set.as_slice().get(last)) else { return };
    let mut client = base.connect().await;
    let migrator = Migrator::new(set).to(last.version().clone());
    migrator.run(&mut client).await.expect("the set applies");
}

async fn run(migrator: &Migrator<'_>, database: &Database) -> Verdict {
    let mut client = database.connect().await;
    let Err(error) = migrator.run(&mut client).await else { return Verdict::Taken };
    let ErrorKind::Migration { failure, .. } = error.kind() else { return Verdict::Unjudged };
    let position = match &failure.place {
        Place::Statement { position, .. } => Some(*position),
        _ => None,
    };
    Verdict::Refused(Refusal {
        sqlstate: failure.sqlstate.clone().unwrap_or_default(),
        file: failure.file.clone(),
        position,
        message: failure.message.clone(),
    })
}
