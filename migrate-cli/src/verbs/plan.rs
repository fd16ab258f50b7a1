//! `plan`: shows what `up` would apply.

use clap::Args;
use migrate_runtime::Plan;
use migrate_runtime::plan::{Cause, Step};
use migrate_runtime::set::TransactionMode;

use super::Context;
use super::up::Limit;
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::json::{Body, StepBody};
use crate::output::style::{FAINT, OPEN, styled};
use crate::output::table::{Align, Cell, table};
use crate::output::text::{counted, line};

#[derive(Args, Debug, Clone, Default)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(super) limit: Limit,
    /// Print the statements, as SQL
    #[arg(long)]
    pub(super) sql: bool,
}

impl PlanArgs {
    pub(super) fn has_limit(&self) -> bool {
        self.limit.is_some()
    }

    pub(super) async fn run(&self, cx: Context<'_>) -> Result<Answer, VerbError> {
        let migrator = self.limit.of(&cx.migrator, cx.client).await?;
        let plan = migrator.plan(cx.client).await?;
        if plan.applied.is_empty() && plan.ahead.is_empty() {
            cx.warn_of_other_history().await;
        }
        let sql = if self.sql { Some(migrator.script(&plan)?) } else { None };
        let steps: Vec<StepBody> = plan.steps.iter().map(body).collect();
        let text = match &sql {
            Some(sql) => sql.clone(),
            None => shown(&plan, &steps),
        };
        Ok(Answer::new(text, Body::Plan { steps, sql }))
    }
}

fn body(step: &Step<'_>) -> StepBody {
    let script = step.migration.up();
    StepBody {
        version: step.migration.version().to_string(),
        name: step.migration.name().to_owned(),
        file: step.migration.filename().to_owned(),
        cause: match step.cause {
            Cause::New => "new",
            Cause::Changed => "changed",
            Cause::Unfinished { .. } => "unfinished",
        },
        transactional: script.transaction() == TransactionMode::Transactional,
        statements: script.statements().len(),
        contract_after: step.migration.contract().map(ToString::to_string),
    }
}

fn shown(plan: &Plan<'_>, steps: &[StepBody]) -> String {
    if steps.is_empty() {
        return line("Up to date", &format!("{} applied", plan.applied.len()));
    }
    let rows = steps.iter().map(|step| {
        let cause = match step.cause {
            "changed" => Some("repeatable, changed"),
            "unfinished" => Some("unfinished, will continue"),
            _ => None,
        };
        let mode = (!step.transactional).then_some("outside a transaction");
        let phase = step.contract_after.as_ref().map(|after| format!("contract after {after}"));
        let remarks: Vec<&str> = cause.into_iter().chain(mode).chain(phase.as_deref()).collect();
        vec![
            Cell::plain(&step.version),
            Cell::plain(&step.name),
            Cell::new(&step.statements.to_string(), FAINT),
            Cell::new(&remarks.join("; "), OPEN),
        ]
    });
    let heads = [
        ("version", Align::Left),
        ("name", Align::Cut),
        ("statements", Align::Right),
        ("remarks", Align::Left),
    ];
    let pending = format!("{} pending", counted(steps.len(), "migration"));
    format!("{}{}\n", table(&heads, rows), styled(OPEN, &pending))
}
