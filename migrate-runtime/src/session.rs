//! Keeps what a migration does to the session from whatever comes after it: settings and role.
//! Nothing goes in; SQL to save the settings before a migration and to restore them behind it
//! comes out.
//! Only migrations that touch the session pay for it, which the build has found out. Saved values
//! do not survive a `RESET ALL` in the migration itself.

/// How long the saved settings are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// To the end of the transaction.
    Transaction,
    /// To the end of the session.
    Session,
}

/// Saves every setting that a user can change, the role and the session user.
pub(crate) fn save(scope: Scope) -> String {
    let local = scope == Scope::Transaction;
    format!(
        "SELECT pg_catalog.set_config('migrate.session', (SELECT pg_catalog.json_build_object(\
         'authorization', session_user, 'role', pg_catalog.current_setting('role'), \
         'settings', pg_catalog.json_object_agg(s.name, s.setting))::pg_catalog.text \
         FROM pg_catalog.pg_settings s WHERE s.context IN ('user', 'superuser')), {local})"
    )
}

/// Restores what [`save`] saved, whatever differs by now.
///
/// The session user comes before the role, because setting it resets the role (manual,
/// "SET SESSION AUTHORIZATION").
pub(crate) const RESTORE: &str = "DO '
DECLARE
  saved pg_catalog.json := NULLIF(pg_catalog.current_setting(''migrate.session'', true), '''');
  changed record;
BEGIN
  IF saved OPERATOR(pg_catalog.->>) ''authorization'' <> session_user THEN
    PERFORM pg_catalog.set_config(''session_authorization'',
      saved OPERATOR(pg_catalog.->>) ''authorization'', false);
  END IF;
  IF saved OPERATOR(pg_catalog.->>) ''role'' <> pg_catalog.current_setting(''role'') THEN
    PERFORM pg_catalog.set_config(''role'', saved OPERATOR(pg_catalog.->>) ''role'', false);
  END IF;
  FOR changed IN
    SELECT s.key, s.value
    FROM pg_catalog.json_each_text(saved OPERATOR(pg_catalog.->) ''settings'') s
    JOIN pg_catalog.pg_settings now ON now.name = s.key
    WHERE now.setting IS DISTINCT FROM s.value
  LOOP
    PERFORM pg_catalog.set_config(changed.key, changed.value, false);
  END LOOP;
END'";
