//! `adopt`: takes over another tool's table. It does not ask, because it removes nothing and can be
//! repeated.

use clap::Args;
use migrate_runtime::adopt::{Adopt, Adoption};

use super::Context;
use crate::error::VerbError;
use crate::folder::choice;
use crate::output::Answer;

#[derive(Args, Debug, Clone)]
pub(crate) struct AdoptArgs {
    /// The tool
    #[arg(value_parser = choice(&TOOLS))]
    tool: Adopt,
    /// The tool's table, if it is not the default one
    #[arg(long, value_name = "NAME")]
    from_table: Option<String>,
    /// The schema of the tool's table
    #[arg(long, value_name = "NAME")]
    from_schema: Option<String>,
    /// Only the table's rows of this module (pgdbm)
    #[arg(long, value_name = "NAME")]
    from_module: Option<String>,
}

const TOOLS: [(&str, Adopt); 12] = [
    ("refinery", Adopt::Refinery),
    ("sqlx", Adopt::Sqlx),
    ("diesel", Adopt::Diesel),
    ("flyway", Adopt::Flyway),
    ("goose", Adopt::Goose),
    ("golang-migrate", Adopt::GolangMigrate),
    ("dbmate", Adopt::Dbmate),
    ("chronis", Adopt::Chronis),
    ("pgdbm", Adopt::Pgdbm),
    ("pycopg", Adopt::Pycopg),
    ("data-bridge", Adopt::DataBridge),
    ("xyn", Adopt::Xyn),
];

impl AdoptArgs {
    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let adoption = Adoption::from(self.tool);
        let adoption = self.from_table.iter().fold(adoption, Adoption::table);
        let adoption = self.from_schema.iter().fold(adoption, Adoption::schema);
        let adoption = self.from_module.iter().fold(adoption, Adoption::module);
        Ok(Answer::of_run(cx.output, &cx.migrator.adopt(cx.client, adoption).await?))
    }
}
