//! The schema that a set makes, without a database: what its up scripts leave of each object, and what is not
//! known of it. Owners, privileges, comments, rules and rows are not part of it.

use std::fmt::Write as _;

use migrate_set::schema::SchemaForm;
use migrate_set::text::escaped_lines;

/// The schema of a set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetSchema {
    /// Its objects, by schema, kind and name.
    pub objects: Vec<SchemaObject>,
    /// What is not known, and why.
    pub unknown: Vec<String>,
}

/// An object of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaObject {
    /// `table`, `column`, `index` and so on.
    pub kind: &'static str,
    /// Its name in SQL, with its schema if it has one.
    pub name: String,
    /// What follows the name, if it is a column or a constraint; otherwise a statement that makes it.
    pub definition: String,
    /// What follows the parts of a table in that statement.
    pub(crate) rest: String,
    /// The types of a function's arguments in parentheses, which distinguish it from another of its name.
    pub(crate) arguments: String,
    /// The file that made it, and the line.
    pub place: Option<(String, u32)>,
    /// What is not known of it.
    pub unknown: Option<String>,
    /// What hangs on a table or a view: columns, constraints, indexes, triggers, policies and settings.
    pub parts: Vec<SchemaObject>,
}

/// Whether a text shows where each object was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// As a comment after it.
    Shown,
    /// No.
    Hidden,
}

impl SetSchema {
    /// Its text, one block for each object, as schema files have them: it is to be read and compared, not to be run.
    pub fn text(&self, places: Places) -> String {
        let mut text = format!("{}\n", SchemaForm::Static.head());
        for unknown in &self.unknown {
            let _ = writeln!(text, "-- unknown: {unknown}");
        }
        for object in &self.objects {
            object.write(&mut text, "", places);
        }
        escaped_lines(&text).into_owned()
    }
}

impl SchemaObject {
    /// The statement that makes it, without its parts; what follows the name of a column or a constraint.
    pub fn statement(&self) -> String {
        format!("{}{}", self.definition, self.rest)
    }

    /// Its block, after whose name `on` follows, and those of what hangs on it.
    fn write(&self, text: &mut String, on: &str, places: Places) {
        let _ = writeln!(text, "\n-- {} {}{}{on}", self.kind, self.name, self.arguments);
        let of = |kinds: &'static [&str]| {
            self.parts.iter().filter(move |part| kinds.contains(&part.kind)).collect::<Vec<_>>()
        };
        let inner = of(&["column", "constraint"]);
        let is_partition = inner.is_empty() && self.rest.starts_with(" PARTITION OF");
        if self.kind != "table" || is_partition {
            let _ = writeln!(text, "{};{}", self.statement(), self.comment(places));
        } else {
            let _ = writeln!(text, "{} ({}", self.definition, self.comment(places));
            write_inner(text, &inner, places);
            let _ = writeln!(text, "){};", self.rest);
        }
        for setting in of(&["setting"]) {
            let _ = writeln!(text, "{};{}", setting.statement(), setting.comment(places));
        }
        for part in of(&["index", "trigger", "policy"]) {
            part.write(text, &format!(" on {}", self.name), places);
        }
    }

    /// What is not known of it, and where it was made.
    fn comment(&self, places: Places) -> String {
        let place = self.place.as_ref().filter(|_| places == Places::Shown);
        let place = place.map(|(file, line)| format!("{file}:{line}"));
        let unknown = self.unknown.as_ref().map(|unknown| format!("unknown: {unknown}"));
        let parts: Vec<String> = place.into_iter().chain(unknown).collect();
        if parts.is_empty() { String::new() } else { format!(" -- {}", parts.join("; ")) }
    }
}

/// The columns and constraints of a table.
fn write_inner(text: &mut String, inner: &[&SchemaObject], places: Places) {
    for (number, part) in inner.iter().enumerate() {
        let comma = if number + 1 < inner.len() { "," } else { "" };
        let word = if part.kind == "constraint" { "CONSTRAINT " } else { "" };
        let name = format!("{word}{} {}", part.name, part.definition);
        let _ = writeln!(text, "    {}{comma}{}", name.trim_end(), part.comment(places));
    }
}

#[cfg(feature = "syntax")]
#[cfg(test)]
mod tests;
