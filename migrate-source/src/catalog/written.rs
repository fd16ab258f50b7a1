//! The words of a statement in one spelling: blanks, case and synonyms of types do not count, and names are
//! those of the objects that they mean.

use super::Catalog;
use super::definition::{Id, Piece, Words};
use super::name::{self, Path};
use super::object::{Made, Object};
use super::relation::Key;
use super::types::is_type;
use crate::syntax::needs_quotes;
use crate::syntax::tree::{At, Kind, Token, any_of};

/// Collects words with the blanks between them.
#[derive(Default)]
struct Writer {
    words: Words,
    /// Whether the next word follows without a blank.
    tight: bool,
}

impl Writer {
    fn blank(&mut self) {
        let is_first = self.words.is_empty();
        if !std::mem::replace(&mut self.tight, false) && !is_first {
            self.push(" ");
        }
    }

    fn push(&mut self, text: &str) {
        match self.words.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.words.push(Piece::Text(text.to_owned())),
        }
    }

    fn word(&mut self, text: &str) {
        self.blank();
        self.push(text);
    }

    fn name(&mut self, id: Id, written: &str) {
        self.blank();
        self.words.push(Piece::Name(id, written.to_owned()));
    }

    /// A sign, which determines the blanks around it.
    fn sign(&mut self, text: &str, of: Kind) {
        let is_list = matches!(of, Kind::ARG_LIST | Kind::PARAM_LIST) || is_type(of);
        match text {
            "," | ")" | "]" | ";" => self.push(text),
            "." | "::" | "[" => {
                self.push(text);
                self.tight = true;
                return;
            }
            "(" if is_list => self.push(text),
            _ => self.word(text),
        }
        self.tight = text == "(" || of == Kind::PREFIX_EXPR && text != ")";
    }
}

/// A name as it is written in SQL.
pub(super) fn identifier(name: &str) -> String {
    let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
        && !needs_quotes(name);
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

impl Catalog {
    /// The words of a part of a statement, in which the columns of `on` are in scope.
    pub(super) fn written(&self, at: At<'_>, on: Option<&Key>) -> Words {
        let mut writer = Writer::default();
        self.write(at, on, &mut writer);
        writer.words
    }

    /// The words of a node from a byte on.
    pub(super) fn written_from(&self, at: At<'_>, start: usize, on: Option<&Key>) -> Words {
        let mut writer = Writer::default();
        self.write_parts(at, start, on, &mut writer);
        writer.words
    }

    fn write(&self, at: At<'_>, on: Option<&Key>, to: &mut Writer) {
        let kind = at.kind();
        if is_type(kind) {
            return self.write_type(at, to);
        }
        if let Some(id) = self.meant(at, on) {
            return to.name(id, at.text());
        }
        if let Some(callee) = at.children().next().filter(|_| kind == Kind::CALL_EXPR) {
            match Path::of(callee).and_then(|path| Id::of(self.routine_made(&path)?, "")) {
                Some(id) => to.name(id, callee.text()),
                None => self.write(callee, None, to),
            }
            return self.write_parts(at, callee.range().end, on, to);
        }
        if is_name(kind) && at.children().next().is_none() {
            // A keyword that is a name here needs no quotes here.
            let is_word = at.tokens().first().is_some_and(|token| token.kind.is_keyword());
            let name = name::name(at).filter(|_| !is_word).map(|name| identifier(&name));
            return to.word(&name.unwrap_or_else(|| at.text().to_ascii_lowercase()));
        }
        if matches!(kind, Kind::COLON_COLON | Kind::NEQ | Kind::LTEQ | Kind::GTEQ | Kind::CUSTOM_OP)
        {
            return to.sign(at.text(), kind);
        }
        self.write_parts(at, 0, on, to);
    }

    /// The tokens and parts of a node from a byte on.
    fn write_parts(&self, at: At<'_>, start: usize, on: Option<&Key>, to: &mut Writer) {
        let mut parts = at.children().filter(|part| !part.tokens().is_empty()).peekable();
        let (mut done, mut target) = (start, None);
        for token in at.tokens() {
            while parts.next_if(|part| part.range().end <= done).is_some() {}
            if token.start() < done {
                continue;
            }
            let Some(part) = parts.next_if(|part| part.range().start == token.start()) else {
                write_token(at, *token, to);
                continue;
            };
            done = part.range().end;
            match part.kind() {
                // What follows the table of a foreign key are its columns.
                Kind::TABLE_NAME_REF if is_foreign_key(at.kind()) => {
                    target = Path::of(part).and_then(|path| self.look_relation(&path).there());
                    self.write(part, on, to);
                }
                Kind::FOREIGN_KEY_COLUMN_LIST | Kind::COLUMN_NAME_REF if target.is_some() => {
                    self.write(part, target.as_ref(), to);
                }
                _ => self.write(part, on, to),
            }
        }
    }

    /// The object that a name means.
    fn meant(&self, at: At<'_>, on: Option<&Key>) -> Option<Id> {
        match at.kind() {
            any_of![TABLE_NAME_REF, RELATION_NAME_REF, VIEW_REF, SEQUENCE_REF, INDEX_REF] => {
                let key = self.look_relation(&Path::of(at)?).there()?;
                self.relation_id(&key)
            }
            Kind::TYPE_NAME_REF | Kind::DOMAIN_REF => self.type_id(&Path::of(at)?),
            Kind::NAME_REF | Kind::COLUMN_NAME_REF => self.column_id(on?, &name::name(at)?),
            _ => None,
        }
    }

    pub(super) fn routine_made(&self, path: &Path) -> Option<&Made> {
        let schema = self.look_function(path).there()?;
        let found = self.schemas.objects.get(&schema)?.routines.objects.get(&path.name)?;
        Some(found.made())
    }

    pub(super) fn type_id(&self, path: &Path) -> Option<Id> {
        let Some(schema) = self.look_type(path).there() else {
            // A table is the type of its rows.
            let is_other = path.qualifier.is_none() && super::builtin::is_type(&path.name);
            let key = self.look_relation(path).there().filter(|_| !is_other)?;
            return self.relation_id(&key);
        };
        let found = self.schemas.objects.get(&schema)?.types.objects.get(&path.name)?;
        Id::of(found.made(), "")
    }

    /// A type, under the name that the server gives it (`format_type`).
    fn write_type(&self, at: At<'_>, to: &mut Writer) {
        if at.says(Kind::SETOF_KW) {
            to.word("SETOF");
        }
        match at.kind() {
            Kind::ARRAY_TYPE => {
                if let Some(element) = at.children().find(|child| is_type(child.kind())) {
                    self.write_type(element, to);
                }
                to.push("[]");
            }
            Kind::PATH_TYPE => {
                let path = at.find(Kind::PATH_REF).and_then(Path::of);
                if let Some(id) = path.as_ref().and_then(|path| self.type_id(path)) {
                    to.name(id, at.text());
                    return to.push(&arguments(at));
                }
                let name = path.map_or_else(|| at.text().to_owned(), |path| own(&path));
                // The precision of a time is before its zone.
                match name.split_once(" with ") {
                    Some((base, zone)) => {
                        to.word(&format!("{base}{} with {zone}", arguments(at)));
                    }
                    None => to.word(&format!("{name}{}", arguments(at))),
                }
            }
            _ => to.word(&of_grammar(at)),
        }
    }
}

/// What is in parentheses after a type, with them.
fn arguments(at: At<'_>) -> String {
    let list = at.child(Kind::ARG_LIST).map(|list| list.text().replace([' ', '\n'], ""));
    list.unwrap_or_default()
}

/// The server's name of a type that the grammar knows.
fn of_grammar(at: At<'_>) -> String {
    let arguments = arguments(at);
    let length = if arguments.is_empty() { "(1)" } else { &arguments };
    match at.kind() {
        Kind::VARCHAR_TYPE => format!("character varying{arguments}"),
        Kind::CHARACTER_TYPE => format!("character{length}"),
        Kind::BIT_TYPE => format!("bit{length}"),
        Kind::BIT_VARYING_TYPE => format!("bit varying{arguments}"),
        Kind::DOUBLE_TYPE => "double precision".to_owned(),
        Kind::TIME_TYPE | Kind::TIMESTAMP_TYPE => {
            let base = if at.kind() == Kind::TIME_TYPE { "time" } else { "timestamp" };
            let zone = if at.has(Kind::WITH_TIMEZONE) { "with" } else { "without" };
            let mut tokens = at.tokens().iter().map(|token| at.text_of(*token));
            let precision = tokens.find(|text| text.bytes().all(|b| b.is_ascii_digit()));
            let precision = precision.map_or_else(String::new, |digits| format!("({digits})"));
            format!("{base}{precision} {zone} time zone")
        }
        _ => at.text().to_ascii_lowercase(),
    }
}

/// The server's name of a type that the set did not make.
fn own(path: &Path) -> String {
    match &path.qualifier {
        Some(schema) if schema != "pg_catalog" => {
            return format!("{}.{}", identifier(schema), identifier(&path.name));
        }
        _ => {}
    }
    let name = match path.name.as_str() {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "bool" => "boolean",
        "float" | "float8" => "double precision",
        "float4" => "real",
        "decimal" | "dec" => "numeric",
        "bpchar" => "character",
        "timestamptz" => "timestamp with time zone",
        "timetz" => "time with time zone",
        name => return identifier_of_type(name),
    };
    name.to_owned()
}

/// A type's name: those that are keywords need no quotes.
fn identifier_of_type(name: &str) -> String {
    let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_plain { name.to_owned() } else { identifier(name) }
}

fn is_foreign_key(kind: Kind) -> bool {
    matches!(kind, Kind::FOREIGN_KEY_CONSTRAINT | Kind::REFERENCES_CONSTRAINT)
}

/// Whether a node is a name, and not a word of the grammar.
fn is_name(kind: Kind) -> bool {
    let kind = format!("{kind:?}");
    ["NAME", "REF", "ALIAS", "SEGMENT"].iter().any(|end| kind.ends_with(end))
}

fn write_token(of: At<'_>, token: Token, to: &mut Writer) {
    let text = of.text_of(token);
    match token.kind {
        Kind::IDENT => {
            let folded = name::folded(text);
            to.word(&folded.map_or_else(|| text.to_owned(), |name| identifier(&name)));
        }
        Kind::TRUE_KW | Kind::FALSE_KW => to.word(&text.to_ascii_lowercase()),
        kind if kind.is_keyword() => to.word(&text.to_ascii_uppercase()),
        any_of![STRING, ESC_STRING, DOLLAR_QUOTED_STRING, INT_NUMBER, NUMERIC_NUMBER] => {
            to.word(text);
        }
        _ => to.sign(text, of.kind()),
    }
}
