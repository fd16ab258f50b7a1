//! The statements of one direction of a migration, and how they run.

use std::borrow::Cow;

use crate::location::{Position, position};
use crate::sql::kind::SessionEffect;
use crate::sql::lexer::lex;
use crate::sql::placeholder::{Placeholder, RenderError, Rendered, render};
use crate::sql::sharing::Sharing;
use crate::sql::split::{END_OF_DATA, copy, split};

/// Up or down: the statements of one file, or of one section of a file.
///
/// ```
/// # use migrate_set::set::Script;
/// fn statements(script: &Script) -> Vec<&str> {
///     script.statements().map(|(start, end)| &script.text()[start..end]).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    filename: Cow<'static, str>,
    text: Cow<'static, str>,
    statements: Vec<[u32; 2]>,
    placeholders: Vec<Placeholder>,
    transaction: TransactionMode,
    session: SessionEffect,
    sharing: Sharing,
    ends: Ends,
    returns: Vec<u32>,
}

/// Whether a script runs inside one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransactionMode {
    /// The whole script and its ledger entry commit together.
    #[default]
    Transactional,
    /// Statement by statement, each committed on its own.
    NonTransactional,
}

/// What follows the statements of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ends {
    /// Nothing.
    #[default]
    WithSql,
    /// A function of the service, in the same transaction (`-- migrate:function`).
    WithFunction,
}

impl Script {
    /// A checked script: `statements` are byte ranges of `text`, the whole file LF-normalised.
    #[doc(hidden)]
    pub fn new(
        filename: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
        statements: Vec<[u32; 2]>,
        placeholders: Vec<Placeholder>,
        transaction: TransactionMode,
        session: SessionEffect,
    ) -> Self {
        let (filename, text) = (filename.into(), text.into());
        let (sharing, ends, returns) = (Sharing::Alone, Ends::WithSql, Vec::new());
        Script {
            filename,
            text,
            statements,
            placeholders,
            transaction,
            session,
            sharing,
            ends,
            returns,
        }
    }

    /// The same script of a file with both kinds of line endings: `returns` are the byte offsets in the text
    /// of the line feeds that have a carriage return in the file.
    #[doc(hidden)]
    #[must_use]
    pub fn with_returns(mut self, returns: Vec<u32>) -> Self {
        self.returns = returns;
        self
    }

    /// The same script with a function after its statements.
    #[doc(hidden)]
    #[must_use]
    pub fn with_function(mut self) -> Self {
        self.ends = Ends::WithFunction;
        self
    }

    /// The same script, with which others it can share its transaction.
    #[doc(hidden)]
    #[must_use]
    pub fn with_sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// Path of its file, relative to the migration folder, with `/`.
    pub fn filename(&self) -> &str {
        &self.filename
    }

    /// The same to store; nothing is copied if the set is embedded in the binary.
    pub fn shared_filename(&self) -> Cow<'static, str> {
        self.filename.clone()
    }

    /// The whole file that contains it, LF-normalised and without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// As [`Script::with_returns`]; empty if all lines of the file end alike.
    #[doc(hidden)]
    pub fn returns(&self) -> &[u32] {
        &self.returns
    }

    /// The text with the line endings of its file; `None` if all of them are alike.
    pub fn with_mixed_lines(&self) -> Option<String> {
        let mut text = String::with_capacity(self.text.len() + self.returns.len());
        let mut from = 0;
        for &at in &self.returns {
            let at = at as usize;
            text.push_str(self.text.get(from..at)?);
            text.push('\r');
            from = at;
        }
        text.push_str(self.text.get(from..)?);
        (!self.returns.is_empty()).then_some(text)
    }

    /// Byte ranges in [`Script::text`] of the statements to run, in order.
    pub fn statements(&self) -> impl ExactSizeIterator<Item = (usize, usize)> {
        self.statements.iter().map(|&[start, end]| (start as usize, end as usize))
    }

    /// A statement as its SQL and its data, if it is a `COPY ... FROM stdin`.
    pub fn copy(&self, (start, end): (usize, usize)) -> Option<[(usize, usize); 2]> {
        let (sql, data) = copy(self.text.get(start..end)?)?;
        Some([sql, data].map(|part| (start + part.start, start + part.end)))
    }

    /// Whether a statement can have data with it, also one in a transaction block: a line ends it.
    pub(super) fn may_have_data(&self) -> bool {
        self.text.split('\n').any(|line| line.starts_with(END_OF_DATA))
    }

    /// A statement without the data of a `COPY`.
    pub fn without_data(&self, statement: (usize, usize)) -> (usize, usize) {
        self.copy(statement).map_or(statement, |[sql, _]| sql)
    }

    /// As [`Script::statements`], but with each transaction block split into its statements, and without data.
    #[doc(hidden)]
    pub fn single_statements(&self) -> impl Iterator<Item = (usize, usize)> {
        self.statements().flat_map(|(start, end)| {
            let text = &self.text[start..end];
            if !text.contains(';') {
                return vec![(start, end)];
            }
            let tokens = lex(text);
            let parts = split(text, &tokens).unwrap_or_default();
            parts.iter().map(|part| (start + part.start(), start + part.code_end())).collect()
        })
    }

    /// The placeholders in its statements, in order.
    pub fn placeholders(&self) -> &[Placeholder] {
        &self.placeholders
    }

    /// Whether it runs inside one transaction.
    pub fn transaction(&self) -> TransactionMode {
        self.transaction
    }

    /// What follows its statements.
    pub fn ends(&self) -> Ends {
        self.ends
    }

    /// Whether it changes settings of the session.
    pub fn session(&self) -> SessionEffect {
        self.session
    }

    /// With which others it can share its transaction.
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// The position in the file of the byte `offset` of [`Script::text`].
    pub fn position(&self, offset: usize) -> Position {
        position(&self.text, offset)
    }

    /// One statement as it is sent for `schema`.
    ///
    /// # Errors
    /// [`RenderError`] if a placeholder cannot be replaced.
    pub fn render(
        &self,
        statement: (usize, usize),
        schema: Option<&str>,
    ) -> Result<Rendered<'_>, RenderError> {
        render(&self.text, statement, &self.placeholders, schema)
    }

    /// All statements as one text for `schema`, each followed by `;` and a line feed, or by its data.
    ///
    /// # Errors
    /// As [`Script::render`].
    pub fn sql(&self, schema: Option<&str>) -> Result<String, RenderError> {
        let mut sql = String::new();
        for statement in self.statements() {
            sql.push_str(&self.render(statement, schema)?.sql);
            sql.push_str(if self.copy(statement).is_some() { "\n" } else { ";\n" });
        }
        Ok(sql)
    }
}
