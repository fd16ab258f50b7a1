//! Saves a session before a migration that changes it, and restores it afterwards: settings, role,
//! temporary tables, prepared statements, cursors and channels. What a migration removes (`DEALLOCATE`,
//! `DISCARD TEMP`) cannot be restored.

use migrate_set::set::Script;
use migrate_set::sql::kind::own_settings;
use tokio_postgres::SimpleQueryRow;

use super::literal::{column, literal};
use super::operator::NE;

/// A saved session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    authorization: String,
    role: String,
    all: String,
}

/// The session as a JSON document, with its user and role. The server does not list custom settings
/// (`app.tenant`), so it contains those that `script` names.
pub(crate) fn select(script: &Script) -> String {
    let own = own_settings(script.text());
    let pair = |name: &String| {
        let name = literal(name);
        format!("{name}, pg_catalog.current_setting({name}, true)")
    };
    let own: Vec<String> = own.iter().map(pair).collect();
    format!(
        "{SELECT}, 'own', pg_catalog.json_build_object({}))::pg_catalog.text AS session",
        own.join(", ")
    )
}

const SELECT: &str = "SELECT session_user::pg_catalog.text AS \"authorization\", \
     pg_catalog.current_setting('role') AS \"role\", pg_catalog.json_build_object(\
     'authorization', session_user, 'role', pg_catalog.current_setting('role'), \
     'settings', (SELECT pg_catalog.json_object_agg(s.name, s.setting) FROM pg_catalog.pg_settings s \
     WHERE s.context OPERATOR(pg_catalog.=) ANY ('{user,superuser}') AND s.name OPERATOR(pg_catalog.<>) \
     ALL ('{transaction_isolation,transaction_read_only,transaction_deferrable}')), \
     'relations', (SELECT pg_catalog.json_object_agg(c.oid, true) FROM pg_catalog.pg_class c \
     WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()), \
     'routines', (SELECT pg_catalog.json_object_agg(r.oid, true) FROM pg_catalog.pg_proc r \
     WHERE r.pronamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()), \
     'types', (SELECT pg_catalog.json_object_agg(t.oid, true) FROM pg_catalog.pg_type t \
     WHERE t.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()), \
     'channels', (SELECT pg_catalog.json_object_agg(l.name, true) \
     FROM pg_catalog.pg_listening_channels() l (name)), \
     'prepared', (SELECT pg_catalog.json_object_agg(p.name, true) \
     FROM pg_catalog.pg_prepared_statements p), \
     'cursors', (SELECT pg_catalog.json_object_agg(k.name, true) FROM pg_catalog.pg_cursors k)";

/// As [`select`], and saves the document in the transaction for [`restore_noted`].
pub(crate) fn note(script: &Script) -> String {
    let select = select(script);
    format!(
        "SELECT n.*, pg_catalog.set_config('migrate.session', n.session, true) FROM ({select}) n"
    )
}

/// Restores what [`note`] saved.
pub(crate) fn restore_noted() -> String {
    let noted = "pg_catalog.current_setting('migrate.session', true)";
    restore_from(&format!("CASE WHEN {noted} {NE} '' THEN {noted} END"))
}

impl Session {
    /// The session of one row of [`select`].
    pub(crate) fn of(row: &SimpleQueryRow) -> Option<Session> {
        let (authorization, role) = (column(row, "authorization")?, column(row, "role")?);
        Some(Session { authorization, role, all: column(row, "session")? })
    }

    /// Restores the session, also after a `RESET ALL`.
    pub(crate) fn restore(&self) -> String {
        restore_from(&literal(&self.all))
    }

    /// Sets the user and the role of the run's start, until the end of the transaction.
    pub(crate) fn act_as_before(&self) -> String {
        let (authorization, role) = (literal(&self.authorization), literal(&self.role));
        format!(
            "SELECT pg_catalog.set_config('session_authorization', {authorization}, true), \
             pg_catalog.set_config('role', {role}, true)"
        )
    }
}

/// The session user comes before the role, because setting it resets the role (manual,
/// "SET SESSION AUTHORIZATION").
///
/// `LISTEN` takes effect at the commit, so `UNLISTEN *` and `LISTEN` for the saved channels take effect
/// together, without a gap.
fn restore_from(document: &str) -> String {
    let body = include_str!("restore.sql").trim_end().replace("{document}", document);
    format!("DO {}", literal(&format!("\n{body}")))
}
