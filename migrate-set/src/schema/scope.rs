//! Which objects of a database belong to its schema. A schema file begins with it, so that a comparison looks at
//! the objects that were written.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::block::SchemaBlock;

/// Which objects of a database belong to its schema; by default all but privileges.
///
/// Owners of objects and the version of an extension are never part of it, because they differ from one server to
/// another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemaScope {
    /// Each with its words in a file.
    choices: BTreeSet<&'static str>,
    only: Vec<String>,
    without: Vec<String>,
}

const GRANTS: &str = "with grants";
const NO_PARTITIONS: &str = "without partitions";
const NO_EXTENSIONS: &str = "without extensions";
const NO_COMMENTS: &str = "without comments";
const ONLY: &str = "only schema ";
const WITHOUT: &str = "without schema ";

impl SchemaScope {
    /// All objects; of their privileges none.
    pub fn new() -> Self {
        SchemaScope::default()
    }

    /// Privileges too, and default privileges.
    #[must_use]
    pub fn with_grants(self) -> Self {
        self.choosing(GRANTS)
    }

    /// No partitions: those of a live database are made as time passes.
    #[must_use]
    pub fn without_partitions(self) -> Self {
        self.choosing(NO_PARTITIONS)
    }

    /// No extensions.
    #[must_use]
    pub fn without_extensions(self) -> Self {
        self.choosing(NO_EXTENSIONS)
    }

    /// No comments.
    #[must_use]
    pub fn without_comments(self) -> Self {
        self.choosing(NO_COMMENTS)
    }

    /// Only these schemas, if any is named; a name can end with `*`.
    #[must_use]
    pub fn only_schema(mut self, name: impl Into<String>) -> Self {
        self.only.push(name.into());
        self
    }

    /// Not these schemas, such as those of other tenants; a name can end with `*`.
    #[must_use]
    pub fn without_schema(mut self, name: impl Into<String>) -> Self {
        self.without.push(name.into());
        self
    }

    fn choosing(mut self, words: &'static str) -> Self {
        self.choices.insert(words);
        self
    }

    fn has(&self, words: &str) -> bool {
        self.choices.contains(words)
    }

    /// The schemas to read, if not all.
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// The schemas not to read.
    pub fn without(&self) -> &[String] {
        &self.without
    }

    /// The scope that a schema file was written with.
    pub fn of_file(text: &str) -> Self {
        let lines = text.lines().map_while(|line| line.strip_prefix("-- "));
        lines.fold(SchemaScope::new(), |scope, line| match line {
            GRANTS => scope.with_grants(),
            NO_PARTITIONS => scope.without_partitions(),
            NO_EXTENSIONS => scope.without_extensions(),
            NO_COMMENTS => scope.without_comments(),
            line => match (line.strip_prefix(ONLY), line.strip_prefix(WITHOUT)) {
                (Some(name), _) => scope.only_schema(name),
                (_, Some(name)) => scope.without_schema(name),
                _ => scope,
            },
        })
    }

    /// The comments that [`SchemaScope::of_file`] reads.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        for words in &self.choices {
            let _ = writeln!(lines, "-- {words}");
        }
        for (words, names) in [(ONLY, &self.only), (WITHOUT, &self.without)] {
            for name in names {
                let _ = writeln!(lines, "-- {words}{}", name.replace(['\n', '\r'], " "));
            }
        }
        lines
    }

    /// What belongs to the schema. The schemas were chosen when it was read.
    pub(super) fn of(&self, blocks: Vec<SchemaBlock>) -> Vec<SchemaBlock> {
        let partitions: Vec<String> = if self.has(NO_PARTITIONS) {
            blocks.iter().filter(|block| block.is_partition()).map(|one| one.name.clone()).collect()
        } else {
            Vec::new()
        };
        let is_of_one = |block: &SchemaBlock| {
            block.is_partition()
                || block.table().is_some_and(|table| partitions.iter().any(|one| one == table))
        };
        let is_left_out = |block: &SchemaBlock| match block.kind {
            "extension" => self.has(NO_EXTENSIONS),
            "default privileges" => !self.has(GRANTS),
            _ => self.has(NO_PARTITIONS) && is_of_one(block),
        };
        let mut left = Vec::new();
        for mut block in blocks.into_iter().filter(|block| !is_left_out(block)) {
            block.statements.retain(|statement| {
                let is = |words: &str| statement.starts_with(words);
                !(self.has(NO_COMMENTS) && is("COMMENT ON "))
                    && (self.has(GRANTS) || !(is("GRANT ") || is("REVOKE ")))
            });
            // `public`, of which only these are written.
            if block.is_note() || !block.statements.is_empty() {
                left.push(block);
            }
        }
        left
    }
}
