//! Whether a change of a column's type rewrites the table.
//!
//! It does not if the old type is binary coercible to the new one, or if a length or precision only grows (the
//! manual, "ALTER TABLE", Notes; `ATColumnChangeRequiresRewrite` and the support functions of the types).

/// What the server does with the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retype {
    /// They stay as they are.
    Keeps,
    Rewrites,
    /// That is not known: a type is not one of the server, or the session decides.
    Unknown,
}

/// A type in the server's own spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) name: String,
    /// Its length, or its precision and scale.
    pub(crate) modifiers: Vec<u32>,
    pub(crate) is_array: bool,
}

/// Types of the server that are stored differently from all others of this list.
const APART: &[&str] = &[
    "bool", "bytea", "date", "float4", "float8", "int2", "int4", "int8", "interval", "json",
    "jsonb", "money", "numeric", "text", "time", "timestamp", "timestamptz", "timetz", "uuid",
    "varchar",
];

/// What the server does with the rows of a table when a column of type `old` gets the type `new`.
pub(crate) fn retype(old: &str, new: &str) -> Retype {
    let (Some(old), Some(new)) = (typed(old), typed(new)) else { return Retype::Unknown };
    if old == new {
        return Retype::Keeps;
    }
    if old.is_array || new.is_array {
        return if old.is_array == new.is_array { Retype::Unknown } else { Retype::Rewrites };
    }
    let grows = grows(&old.name, &old.modifiers, &new.modifiers);
    match (old.name.as_str(), new.name.as_str()) {
        ("varchar" | "xml", "text") | ("cidr", "inet") => Retype::Keeps,
        ("text", "varchar") if new.modifiers.is_empty() => Retype::Keeps,
        // Without a rewrite only if the time zone of the session is UTC.
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp") => Retype::Unknown,
        (one, other) if one == other && grows => Retype::Keeps,
        (one, other) if one == other => Retype::Rewrites,
        ("text", "varchar" | "bpchar") | ("bpchar", "text" | "varchar") | ("varchar", "bpchar") => {
            Retype::Rewrites
        }
        (one, other) if APART.contains(&one) && APART.contains(&other) => Retype::Rewrites,
        _ => Retype::Unknown,
    }
}

/// Whether every value of a type fits into the same type with other modifiers.
fn grows(name: &str, old: &[u32], new: &[u32]) -> bool {
    match (name, old, new) {
        // Blanks or zeros are added.
        ("bpchar" | "bit", _, _) => false,
        (_, _, []) => true,
        ("numeric", [precision, scale], [wider, same]) => precision <= wider && scale == same,
        ("varchar" | "varbit" | "time" | "timetz" | "timestamp" | "timestamptz", [old], [new]) => {
            old <= new
        }
        // Six digits are all that there are.
        ("time" | "timetz" | "timestamp" | "timestamptz", [], [digits]) => *digits >= 6,
        _ => false,
    }
}

/// A type as it is written, in the server's own spelling; `None` if it has modifiers that are no numbers.
pub(crate) fn typed(written: &str) -> Option<Type> {
    let text = written.to_ascii_lowercase().replace('"', "").replace("pg_catalog.", "");
    let (mut base, mut modifiers) = (text.clone(), Vec::new());
    if let Some((before, rest)) = text.split_once('(') {
        let (inside, after) = rest.split_once(')')?;
        let numbers = inside.split(',').map(|number| number.trim().parse::<u32>().ok());
        modifiers = numbers.collect::<Option<_>>()?;
        base = format!("{before} {after}");
    }
    let is_array = base.contains('[') || base.trim_end().ends_with(" array");
    let base = base.split('[').next().unwrap_or_default().trim().trim_end_matches(" array");
    let words: Vec<&str> = base.split_whitespace().collect();
    let words = words.join(" ");
    let name = spelled(&words).to_owned();
    match (name.as_str(), modifiers.len()) {
        ("bpchar" | "bit", 0) if words != "bpchar" => modifiers = vec![1],
        ("numeric", 1) => modifiers.push(0),
        _ => {}
    }
    Some(Type { name, modifiers, is_array })
}

/// The server's own name of a type that has several.
pub(crate) fn spelled(name: &str) -> &str {
    match name {
        "int" | "integer" | "serial" | "serial4" => "int4",
        "bigint" | "bigserial" | "serial8" => "int8",
        "smallint" | "smallserial" | "serial2" => "int2",
        "boolean" => "bool",
        "character varying" | "char varying" => "varchar",
        "character" | "char" => "bpchar",
        "decimal" | "dec" => "numeric",
        "double precision" | "float" => "float8",
        "real" => "float4",
        "bit varying" => "varbit",
        "time with time zone" => "timetz",
        "time without time zone" => "time",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        other => other,
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if !self.modifiers.is_empty() {
            let numbers: Vec<String> = self.modifiers.iter().map(ToString::to_string).collect();
            write!(f, "({})", numbers.join(","))?;
        }
        f.write_str(if self.is_array { "[]" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Retype::{Keeps, Rewrites, Unknown};

    /// `the_lint_reports_what_rewrites_the_table` puts such pairs to a server.
    #[test]
    fn rewrites_are_those_of_the_manual() {
        for (old, new, expected) in [
            ("varchar(10)", "varchar(20)", Keeps),
            ("varchar(20)", "varchar(10)", Rewrites),
            ("varchar(10)", "character varying", Keeps),
            ("varchar", "text", Keeps),
            ("varchar(10)", "TEXT", Keeps),
            ("text", "varchar", Keeps),
            ("text", "varchar(10)", Rewrites),
            ("char(3)", "text", Rewrites),
            ("char(3)", "char(5)", Rewrites),
            ("text", "character(3)", Rewrites),
            ("numeric(10,2)", "numeric(12,2)", Keeps),
            ("numeric(10,2)", "decimal(12, 4)", Rewrites),
            ("numeric(10,2)", "numeric", Keeps),
            ("numeric", "numeric(10)", Rewrites),
            ("numeric(5)", "numeric(6, 0)", Keeps),
            ("int", "bigint", Rewrites),
            ("integer", "int4", Keeps),
            ("int8", "text", Rewrites),
            ("timestamp(3)", "timestamp", Keeps),
            ("timestamp", "timestamp(3)", Rewrites),
            ("timestamptz(3)", "timestamp(6) with time zone", Keeps),
            ("timestamp", "timestamptz", Unknown),
            ("varbit(4)", "bit varying(8)", Keeps),
            ("bit(4)", "bit(8)", Rewrites),
            ("json", "jsonb", Rewrites),
            ("cidr", "inet", Keeps),
            ("xml", "text", Keeps),
            ("int[]", "int", Rewrites),
            ("text[]", "varchar[]", Unknown),
            ("mood", "text", Unknown),
            ("text", "mood", Unknown),
        ] {
            assert_eq!(retype(old, new), expected, "{old} to {new}");
        }
    }
}
