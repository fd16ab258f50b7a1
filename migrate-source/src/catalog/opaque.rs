//! What a step can do to the catalog that no statement shows: dynamic SQL, and functions that run it.

use std::rc::Rc;

use migrate_set::sql::lexer::lex;

use super::Catalog;
use super::builtin;
use super::name::Path;
use super::object::{Look, Sort, Way};
use super::query::is_query;
use super::scope::SearchPath;
use crate::syntax::tree::{At, Kind};
use crate::syntax::{Body, Language};

/// What a step can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Effects {
    /// The kinds of objects that it can make, change or drop.
    sorts: Vec<Sort>,
    /// The kinds of objects that it can only make.
    makes: Vec<Sort>,
    /// Whether it can alter or drop something.
    alters: bool,
    /// Whether it can set the `search_path`.
    sets_path: bool,
    /// The functions that it calls.
    calls: Vec<String>,
}

/// Words between a verb and the kind of its object.
const BETWEEN: &[&str] = &[
    "or", "replace", "temp", "temporary", "local", "global", "unlogged", "unique", "materialized",
    "recursive", "constraint", "foreign", "event", "if", "not", "exists", "concurrently",
];

/// The words of an `ALTER` that say what it does.
const ACTIONS: &[&str] = &[
    "add", "drop", "rename", "alter", "set", "enable", "disable", "force", "owner", "validate",
    "attach", "detach", "inherit", "cluster", "replica", "reset", "privileges",
];

/// Schemas of extensions whose functions leave the objects of the set alone.
const HARMLESS: &[&str] =
    &["cron", "net", "vault", "pgmq", "auth", "storage", "realtime", "extensions"];

impl Effects {
    pub(super) fn both(one: &Effects, other: &Effects) -> Effects {
        let mut both = one.clone();
        both.add(&other.sorts);
        both.makes.extend(other.makes.iter().filter(|sort| !one.makes.contains(sort)));
        both.alters |= other.alters;
        both.sets_path |= other.sets_path;
        both.calls.extend(other.calls.iter().cloned());
        both
    }

    /// The functions that it calls.
    pub(super) fn calls(&self) -> &[String] {
        &self.calls
    }

    fn add(&mut self, sorts: &[Sort]) {
        for sort in sorts {
            if !self.sorts.contains(sort) {
                self.sorts.push(*sort);
            }
        }
    }

    /// What SQL in a text can do, of which parts are only known when it runs.
    pub(super) fn of_text(text: &str) -> Effects {
        let lower = without_comments(text).to_ascii_lowercase();
        let mut effects = Effects::default();
        let words: Vec<&str> = lower
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '%'))
            .filter(|word| !word.is_empty())
            .collect();
        let mut has_verbs = false;
        for (at, word) in words.iter().enumerate() {
            has_verbs |= effects.add_word(word, words.get(at + 1..).unwrap_or_default());
        }
        let executes = words.windows(2).any(|pair| {
            matches!(pair, ["execute", next] if !matches!(*next, "function" | "procedure" | "on"))
        });
        if executes && !has_verbs {
            effects.add(&Sort::ALL);
        }
        effects
    }

    /// Adds what a word can do that `rest` follows, and returns whether it is a verb.
    fn add_word(&mut self, word: &str, rest: &[&str]) -> bool {
        let object = rest.iter().find(|word| !BETWEEN.contains(word)).copied().unwrap_or_default();
        let next = rest.first().copied().unwrap_or_default();
        self.alters |= matches!(word, "alter" | "drop");
        match word {
            "create" if !rest.starts_with(&["or", "replace"]) && object != "schema" => {
                self.makes.extend(made(object));
            }
            "create" => self.add(made(object)),
            "drop" if next == "constraint" => {
                self.add(&[Sort::Constraint, Sort::ForeignKey, Sort::Index]);
            }
            "drop" => self.add(dropped(object)),
            "add" => self.add(added(next)),
            "rename" => self.add(renamed(next)),
            "attach" | "detach" | "inherit" => self.add(&[Sort::Column, Sort::Constraint]),
            "set" if next == "schema" => self.add(&Sort::ALL),
            "import" => self.add(&Sort::ALL),
            "search_path" => self.sets_path = true,
            "alter" if !rest.iter().any(|word| ACTIONS.contains(word)) => self.add(&Sort::ALL),
            "alter" | "insert" | "update" | "delete" | "select" | "grant" | "revoke"
            | "comment" | "truncate" | "analyze" | "vacuum" | "refresh" | "copy" | "notify"
            | "set" | "reset" | "reindex" | "lock" | "with" => {}
            _ => return false,
        }
        true
    }

    /// What a body can do that runs when its function is called.
    pub(super) fn of_body(body: &Body) -> Effects {
        let root = body.tree.as_ref().and_then(|tree| tree.root(&body.text, 0));
        let mut effects = match (root, body.language) {
            (None, Language::Other) => Effects { sorts: Sort::ALL.to_vec(), ..Effects::default() },
            (None, _) => Effects::of_text(&body.text),
            (Some(root), Language::Sql) => {
                let statements = root.children().filter(|one| !is_query(one.kind()));
                statements.fold(Effects::default(), |effects, one| {
                    Effects::both(&effects, &Effects::of_text(one.text()))
                })
            }
            (Some(root), _) => {
                let mut effects = Effects::default();
                for node in root.all() {
                    let more = match node.kind() {
                        Kind::PLPGSQL_EXEC_SQL_STMT => {
                            if node.children().all(|one| is_query(one.kind())) {
                                continue;
                            }
                            Effects::of_text(node.text())
                        }
                        Kind::PLPGSQL_DO_STMT => Effects::of_text(node.text()),
                        kind if executes(kind) => Effects::of_executed(node, root),
                        _ => continue,
                    };
                    effects = Effects::both(&effects, &more);
                }
                effects
            }
        };
        effects.calls = called(&body.text);
        effects
    }

    /// What `EXECUTE` can do: if its text is in a variable, what the strings of its block say.
    pub(super) fn of_executed(node: At<'_>, block: At<'_>) -> Effects {
        let strings = |at: At<'_>| -> String {
            let is_string =
                |kind| matches!(kind, Kind::STRING | Kind::DOLLAR_QUOTED_STRING | Kind::ESC_STRING);
            let tokens = at.tokens().iter().filter(|token| is_string(token.kind));
            tokens.map(|token| at.text_of(*token)).collect::<Vec<_>>().join(" ")
        };
        let own = node.find(Kind::PLPGSQL_EXPR).map(strings).unwrap_or_default();
        let text = if own.is_empty() { strings(block) } else { own };
        Effects::of_text(&format!("execute it {text}"))
    }
}

/// A text without what is commented out.
fn without_comments(text: &str) -> String {
    let kept = lex(text).into_iter().filter(|token| !token.is_trivia());
    kept.map(|token| token.text(text)).collect::<Vec<_>>().join(" ")
}

/// Whether a statement runs SQL that is only known then.
pub(super) fn executes(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PLPGSQL_DYN_EXECUTE_STMT
            | Kind::PLPGSQL_FOR_DYN_STMT
            | Kind::PLPGSQL_OPEN_EXECUTE
            | Kind::PLPGSQL_RETURN_QUERY_EXECUTE_STMT
    )
}

/// The functions that a body calls, without those of the server.
fn called(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let mut calls: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('(') {
        let before = bytes.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|b| !is_word(b)).map_or(0, |at| at + 1);
        let word = text.get(start..at).unwrap_or_default().to_ascii_lowercase();
        if !word.is_empty() && !builtin::is_function(&word) && !calls.contains(&word) {
            calls.push(word);
        }
    }
    calls
}

fn made(object: &str) -> &'static [Sort] {
    match object {
        "table" => &[Sort::Table, Sort::View, Sort::Sequence, Sort::Index, Sort::Type],
        "view" => &[Sort::View, Sort::Table, Sort::Column, Sort::Type],
        "index" => &[Sort::Index],
        "sequence" => &[Sort::Sequence, Sort::Table],
        "type" | "domain" => &[Sort::Type, Sort::Label],
        "function" | "procedure" | "aggregate" => &[Sort::Function],
        "extension" => &[Sort::Function, Sort::Type],
        "trigger" => &[Sort::Trigger],
        "policy" => &[Sort::Policy],
        "role" | "user" | "database" | "publication" | "subscription" | "server" | "operator"
        | "cast" | "statistics" | "rule" | "group" | "collation" | "text" | "tablespace" => &[],
        _ => &Sort::ALL,
    }
}

fn dropped(object: &str) -> &'static [Sort] {
    match object {
        "default" | "identity" | "expression" | "null" => &[],
        "column" => {
            &[Sort::Column, Sort::Constraint, Sort::ForeignKey, Sort::Index, Sort::Sequence]
        }
        "trigger" | "policy" | "index" | "role" | "user" | "rule" | "publication" => made(object),
        "table" | "view" | "sequence" => &Sort::RELATIONS,
        _ => &Sort::ALL,
    }
}

fn added(next: &str) -> &'static [Sort] {
    match next {
        "constraint" | "primary" | "foreign" | "unique" | "check" | "exclude" => {
            &[Sort::Constraint, Sort::ForeignKey, Sort::Index]
        }
        "value" => &[Sort::Label],
        "generated" => &[Sort::Sequence],
        _ => &[Sort::Column, Sort::Constraint, Sort::Sequence, Sort::Index],
    }
}

fn renamed(next: &str) -> &'static [Sort] {
    match next {
        "constraint" => &[Sort::Constraint, Sort::ForeignKey, Sort::Index],
        "value" => &[Sort::Label],
        "column" => &[Sort::Column],
        _ => &Sort::ALL,
    }
}

impl Catalog {
    /// Something with these effects runs, perhaps.
    pub(super) fn run(&mut self, effects: &Effects) {
        let mut seen: Vec<String> = Vec::new();
        let mut rest = vec![Rc::new(effects.clone())];
        while let Some(effects) = rest.pop() {
            for sort in &effects.makes {
                self.blurs.set(Way::Makes, *sort, self.stamp);
            }
            for sort in &effects.sorts {
                self.blur(*sort);
            }
            if effects.alters {
                self.dependences.clear();
            }
            if effects.sets_path {
                self.path = SearchPath::unknown();
                self.default_path = SearchPath::unknown();
            }
            for call in &effects.calls {
                if !seen.contains(call) {
                    seen.push(call.clone());
                    let path = Path { qualifier: None, name: call.clone(), span: 0..0 };
                    rest.extend(self.effects_of(&path));
                }
            }
        }
    }

    /// A statement calls a function: one that the set did not make can do anything.
    pub(super) fn called(&mut self, path: &Path) {
        if let Some(effects) = self.effects_of(path) {
            return self.run(&effects);
        }
        let harmless = match &path.qualifier {
            Some(schema) => super::schema::is_system(schema) || HARMLESS.contains(&schema.as_str()),
            None => builtin::is_function(&path.name) || path.name.starts_with("st_"),
        };
        if !harmless && self.look_function(path) == Look::Unknown {
            self.blur_all();
        }
    }
}
