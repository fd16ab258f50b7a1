//! The verbs that change the ledger alone: `baseline`, `adopt`, `repair`.
//! A migrator, a client and what is wanted go in; whose entries changed comes out.
//! All but `adopt`, which takes nothing away and can be repeated, ask first.

use tokio_postgres::Client;

use super::args::{AdoptArgs, Repair};
use super::consent::ask;
use super::fault::Fault;
use super::page::Answer;
use super::run::{About, done};

pub(super) async fn baseline(
    about: &About<'_>,
    client: &mut Client,
    version: &str,
) -> Result<Answer, Fault> {
    let upto = format!("take migrations up to version {version} for applied in {}", about.place);
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
            let what = format!("take the set's text of version {version} for what ran in {place}");
            ask(about.output, &what)?;
            migrator.accept(client, version).await?
        }
        Repair::Accept { version: None, .. } => {
            let what =
                format!("take the set's text of all edited migrations for what ran in {place}");
            ask(about.output, &what)?;
            migrator.accept_all(client).await?
        }
    };
    Ok(done(about.output, &report))
}
