//! The comments that other tools act on, except those of the tools whose options need a reader of their own.

use migrate_set::name::Direction;
use migrate_set::set::TransactionMode;

use super::{Directive, DirectiveError, Spelling, after, section};

/// What the tool that wrote `comment` means by it; `body` is the comment without its dashes. `None` if no
/// such tool writes it.
pub(super) fn of_tool(comment: &str, body: &str) -> Result<Option<Directive>, DirectiveError> {
    let marker = |direction| section(direction, None, Spelling::Marker);
    let autocommit = TransactionMode::NonTransactional;
    if after(body, "liquibase formatted sql").is_some() {
        return Err(DirectiveError::Liquibase);
    } else if after(body, "atlas:checkpoint").is_some() {
        return Err(DirectiveError::Checkpoint);
    }
    Ok(Some(match body.trim_end_matches('-').trim_end().to_ascii_lowercase().as_str() {
        // node-pg-migrate, Play, rambler, micrate
        "up migration" | "!ups" | "rambler up" | "+micrate up" => marker(Direction::Up),
        "down migration" | "!downs" | "rambler down" | "+micrate down" => marker(Direction::Down),
        "create above / drop below" if comment.starts_with("----") => Directive::Divider,
        "//@undo" | "// @undo" => Directive::Divider,
        "tern: disable-tx" if comment.starts_with("----") => Directive::FileTransaction(autocommit),
        // Atlas, graphile-migrate, postgres-migrations, yoyo
        "atlas:txmode none"
        | "! no-transaction"
        | "postgres-migrations disable-transaction"
        | "transactional: false" => Directive::Transaction(autocommit),
        _ => return Ok(None),
    }))
}
