//! Saves a session before a migration that changes it, and restores it afterwards: settings, role,
//! temporary tables, prepared statements, cursors and channels. What a migration removes (`DEALLOCATE`,
//! `DISCARD TEMP`) cannot be restored.

use migrate_set::set::Script;
use migrate_set::sql::kind::own_settings;
use tokio_postgres::SimpleQueryRow;

use super::literal::literal;
use super::operator::{CAT, EQ, NE};

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
        let text = |column| row.try_get(column).ok().flatten().map(str::to_owned);
        let (authorization, role, all) = (text("authorization")?, text("role")?, text("session")?);
        Some(Session { authorization, role, all })
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
    let body = format!(
        "
DECLARE
  saved pg_catalog.json := {document};
  changed pg_catalog.record;
BEGIN
  IF saved IS NULL THEN RETURN; END IF;
  IF saved OPERATOR(pg_catalog.->>) 'authorization' {NE} session_user THEN
    PERFORM pg_catalog.set_config('session_authorization',
      saved OPERATOR(pg_catalog.->>) 'authorization', false);
  END IF;
  IF saved OPERATOR(pg_catalog.->>) 'role' {NE} pg_catalog.current_setting('role') THEN
    PERFORM pg_catalog.set_config('role', saved OPERATOR(pg_catalog.->>) 'role', false);
  END IF;
  FOR changed IN
    SELECT s.key, s.value
    FROM pg_catalog.json_each_text(saved OPERATOR(pg_catalog.->) 'settings') s
    JOIN pg_catalog.pg_settings now ON now.name {EQ} s.key
    WHERE now.setting {NE} s.value
  LOOP
    PERFORM pg_catalog.set_config(changed.key, changed.value, false);
  END LOOP;
  FOR changed IN
    SELECT o.key, o.value FROM pg_catalog.json_each_text(saved OPERATOR(pg_catalog.->) 'own') o
    WHERE COALESCE(pg_catalog.current_setting(o.key, true), '') {NE} COALESCE(o.value, '')
  LOOP
    PERFORM pg_catalog.set_config(changed.key, COALESCE(changed.value, ''), false);
  END LOOP;
  FOR changed IN
    SELECT c.relname AS name,
      CASE WHEN c.relkind {EQ} 'v' THEN 'VIEW' WHEN c.relkind {EQ} 'S' THEN 'SEQUENCE'
        ELSE 'TABLE' END AS kind
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace {EQ} pg_catalog.pg_my_temp_schema()
      AND c.relkind {EQ} ANY ('{{r,p,v,S}}')
      AND (saved OPERATOR(pg_catalog.->) 'relations' OPERATOR(pg_catalog.->) c.oid::pg_catalog.text) IS NULL
    ORDER BY c.relkind {EQ} 'S'
  LOOP
    EXECUTE pg_catalog.format('DROP %s IF EXISTS pg_temp.%I CASCADE', changed.kind, changed.name);
  END LOOP;
  FOR changed IN
    SELECT r.oid::pg_catalog.regprocedure::pg_catalog.text AS name FROM pg_catalog.pg_proc r
    WHERE r.pronamespace {EQ} pg_catalog.pg_my_temp_schema()
      AND (saved OPERATOR(pg_catalog.->) 'routines' OPERATOR(pg_catalog.->) r.oid::pg_catalog.text) IS NULL
  LOOP
    EXECUTE 'DROP ROUTINE IF EXISTS ' {CAT} changed.name {CAT} ' CASCADE';
  END LOOP;
  FOR changed IN
    SELECT t.typname AS name FROM pg_catalog.pg_type t
    WHERE t.typnamespace {EQ} pg_catalog.pg_my_temp_schema() AND t.typelem {EQ} 0
      AND (saved OPERATOR(pg_catalog.->) 'types' OPERATOR(pg_catalog.->) t.oid::pg_catalog.text) IS NULL
  LOOP
    EXECUTE pg_catalog.format('DROP TYPE IF EXISTS pg_temp.%I CASCADE', changed.name);
  END LOOP;
  FOR changed IN
    SELECT p.name FROM pg_catalog.pg_prepared_statements p
    WHERE p.from_sql
      AND (saved OPERATOR(pg_catalog.->) 'prepared' OPERATOR(pg_catalog.->) p.name) IS NULL
  LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', changed.name);
  END LOOP;
  FOR changed IN
    SELECT k.name FROM pg_catalog.pg_cursors k
    WHERE k.is_holdable
      AND (saved OPERATOR(pg_catalog.->) 'cursors' OPERATOR(pg_catalog.->) k.name) IS NULL
  LOOP
    EXECUTE pg_catalog.format('CLOSE %I', changed.name);
  END LOOP;
  UNLISTEN *;
  FOR changed IN
    SELECT k.key AS name FROM pg_catalog.json_object_keys(CASE WHEN pg_catalog.json_typeof(
      saved OPERATOR(pg_catalog.->) 'channels') {EQ} 'object'
      THEN saved OPERATOR(pg_catalog.->) 'channels' ELSE '{{}}' END) k (key)
  LOOP
    EXECUTE pg_catalog.format('LISTEN %I', changed.name);
  END LOOP;
END"
    );
    format!("DO {}", literal(&body))
}
