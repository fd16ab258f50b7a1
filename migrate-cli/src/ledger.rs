//! The verbs that change only the ledger: `baseline`, `adopt`, `repair`. All ask for confirmation
//! first but `adopt`, which removes nothing and can be repeated.

use migrate_runtime::Version;
use migrate_runtime::ledger::Edited;
use tokio_postgres::Client;

use super::args::{AdoptArgs, Repair};
use super::consent::ask;
use super::fault::Fault;
use super::page::Answer;
use super::run::{About, done};

pub(super) async fn baseline(
    about: &About<'_>,
    client: &mut Client,
    version: &Version,
) -> Result<Answer, Fault> {
    let upto = format!("mark migrations up to version {version} as applied in {}", about.place);
    ask(about.output, &upto)?;
    Ok(done(about.output, &about.migrator.baseline(client, version).await?))
}

pub(super) async fn adopt(
    about: &About<'_>,
    client: &mut Client,
    adopt: &AdoptArgs,
) -> Result<Answer, Fault> {
    Ok(done(about.output, &about.migrator.adopt(client, adopt.adoption()).await?))
}

pub(super) async fn repair(
    about: &About<'_>,
    client: &mut Client,
    what: &Repair,
) -> Result<Answer, Fault> {
    let (migrator, place) = (&about.migrator, about.place);
    let report = match what {
        Repair::Forget { version } => {
            let what = format!("forget that version {version} was applied in {place}");
            ask(about.output, &what)?;
            migrator.forget(client, version).await?
        }
        Repair::Accept { version: Some(version), .. } => {
            let what = format!("accept the set's text of version {version} as what ran in {place}");
            ask(about.output, &what)?;
            migrator.accept(client, version).await?
        }
        Repair::Accept { version: None, .. } => {
            let what =
                format!("accept the set's text of all edited migrations as what ran in {place}");
            ask(about.output, &what)?;
            migrator.accept(client, Edited::All).await?
        }
    };
    Ok(done(about.output, &report))
}
