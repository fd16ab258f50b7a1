//! `adopt`: takes over another tool's table. It does not ask, because it removes nothing and can be
//! repeated.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _, ValueParser};
use migrate_runtime::adopt::{Adopt, Adoption, Algorithm, AnyTable};

use super::Context;
use crate::error::VerbError;
use crate::folder::choice;
use crate::output::Answer;

#[derive(Args, Debug, Clone)]
pub(crate) struct AdoptArgs {
    /// The tool; for any other, describe its table with `--key` and `--checksum`
    #[arg(value_parser = tools(), required_unless_present_any = ["key", "checksum"])]
    tool: Option<Adopt>,
    /// The tool's table, if it is not the default one
    #[arg(long, value_name = "NAME")]
    from_table: Option<String>,
    /// The schema of the tool's table
    #[arg(long, value_name = "NAME")]
    from_schema: Option<String>,
    /// Only the table's rows of this module (pgdbm), project (sqitch) or app (Django)
    #[arg(long, value_name = "NAME")]
    from_module: Option<String>,
    /// The column with the version, the file or the name of a migration
    #[arg(long, value_name = "COLUMN", requires = "from_table", conflicts_with = "tool")]
    key: Option<String>,
    /// The column with the checksum of the file
    #[arg(long, value_name = "COLUMN", requires = "from_table", conflicts_with = "tool")]
    #[arg(requires = "algorithm")]
    checksum: Option<String>,
    /// The algorithm of the checksum
    #[arg(long, value_parser = choice(&ALGORITHMS), requires = "checksum")]
    algorithm: Option<Algorithm>,
    /// The column with the time when a migration ran
    #[arg(long, value_name = "COLUMN", conflicts_with = "tool")]
    time: Option<String>,
    /// Only the rows for which this condition holds
    #[arg(long = "where", value_name = "SQL", conflicts_with = "tool")]
    only: Option<String>,
}

const ALGORITHMS: [(&str, Algorithm); 6] = [
    ("md5", Algorithm::Md5),
    ("sha1", Algorithm::Sha1),
    ("sha256", Algorithm::Sha256),
    ("sha384", Algorithm::Sha384),
    ("sha512", Algorithm::Sha512),
    ("crc32", Algorithm::Crc32),
];

/// The names of the tools on the command line.
fn tools() -> ValueParser {
    let names = PossibleValuesParser::new(Adopt::ALL.iter().map(|tool| tool.name().to_lowercase()));
    names.try_map(|name| tool(&name).ok_or("unknown")).into()
}

/// The tool of this name.
pub(super) fn tool(name: &str) -> Option<Adopt> {
    Adopt::ALL.iter().copied().find(|tool| tool.name().eq_ignore_ascii_case(name))
}

impl AdoptArgs {
    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let adoption = match self.tool {
            Some(tool) => Adoption::from(tool),
            None => Adoption::from(self.described()),
        };
        let adoption = self.from_table.iter().fold(adoption, Adoption::table);
        let adoption = self.from_schema.iter().fold(adoption, Adoption::schema);
        let adoption = self.from_module.iter().fold(adoption, Adoption::module);
        Ok(Answer::of_run(cx.output, &cx.migrator.adopt(cx.client, adoption).await?))
    }

    /// The table that the options describe.
    fn described(&self) -> AnyTable {
        let table = AnyTable::new(self.from_table.as_deref().unwrap_or_default());
        let table = self.key.iter().fold(table, |table, column| table.key(column));
        let checksum = self.checksum.iter().zip(self.algorithm);
        let table =
            checksum.fold(table, |table, (column, algorithm)| table.checksum(column, algorithm));
        let table = self.time.iter().fold(table, |table, column| table.time(column));
        self.only.iter().fold(table, |table, condition| table.only(condition))
    }
}
