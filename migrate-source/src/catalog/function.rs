//! Functions, procedures and aggregates, by their names.

use std::rc::Rc;

use super::Catalog;
use super::builtin;
use super::depend::{On, User};
use super::name::{self, Path};
use super::object::{How, Look, Made, Names, Object, Sort, objects};
use super::opaque::Effects;
use super::query::Scope;
use super::relation::Key;
use super::scope::SearchPath;
use crate::lint::alter;
use crate::lint::retype::spelled;
use crate::syntax::tree::{At, Kind};
use crate::syntax::{Body, Language};

/// The actions that give another name.
const RENAMES: [Kind; 4] = [
    Kind::FUNCTION_RENAME_TO,
    Kind::PROCEDURE_RENAME_TO,
    Kind::ROUTINE_RENAME_TO,
    Kind::AGGREGATE_RENAME_TO,
];

/// All functions of one name.
#[derive(Debug, Clone)]
pub(super) struct Routine {
    pub(super) made: Made,
    /// The types of the arguments of each, as written; empty if they are not known.
    pub(super) signatures: Vec<String>,
    /// Those of them that may not be there.
    unsure: Vec<String>,
    /// Whether the server calls each of them for each row.
    pub(super) is_volatile: bool,
    /// What a call of one can do to the catalog.
    pub(super) effects: Rc<Effects>,
}

impl Routine {
    /// A function of which nothing else is known.
    pub(super) fn unknown(made: Made) -> Self {
        let (signatures, unsure) = (Vec::new(), Vec::new());
        Routine { made, signatures, unsure, is_volatile: false, effects: Rc::default() }
    }

    /// Whether its arguments are known: those of a function of an extension are not.
    pub(super) fn has_signature(&self) -> bool {
        !self.signatures.is_empty()
    }

    /// Whether its name means one function.
    pub(super) fn is_single(&self) -> bool {
        self.signatures.len() == 1
    }
}

objects!(Routine: |_| true);

impl Catalog {
    /// What is known of a function; the schema that it is in.
    pub(super) fn look_function(&self, path: &Path) -> Look<String> {
        if path.qualifier.is_none() && builtin::is_function(&path.name) {
            return Look::Unknown;
        }
        self.look(path, Sort::Function)
    }

    /// A use of a function; the schema that it is in.
    pub(super) fn refer_function(&mut self, path: &Path, conditional: bool) -> Option<String> {
        self.note_name(Some(&path.name));
        match self.look_function(path) {
            Look::Found(schema) | Look::Perhaps(schema) => {
                self.note(|| On::Function(schema.clone(), path.name.clone()));
                Some(schema)
            }
            Look::Unknown => {
                self.refer_qualifier(path, conditional);
                None
            }
            Look::Missing if conditional || self.is_of_extension(&path.name) => None,
            Look::Missing => {
                self.missing(Sort::Function, path, None);
                let made =
                    Made { place: None, sure: false, ..self.made(Sort::Function, &path.span) };
                if let Some(schema) = self.target(path).filter(|_| !self.may_not_run()) {
                    let routines = &mut self.schema_mut(&schema).routines;
                    routines.put(path.name.clone(), Routine::unknown(made));
                }
                None
            }
        }
    }

    /// `CALL p(..)`.
    pub(super) fn call_procedure(&mut self, at: At<'_>, scope: &Scope<'_>) {
        if let Some(list) = at.child(Kind::ARG_LIST) {
            self.expression(list, scope);
        }
        let Some(path) = at.child(Kind::PROCEDURE_NAME_REF).and_then(Path::of) else { return };
        self.refer_function(&path, false);
        if self.runs {
            self.called(&path);
        }
    }

    /// `CREATE FUNCTION` and the like; the effects are those of its body.
    pub(super) fn create_function(&mut self, at: At<'_>, body: Option<(&Body, usize)>) {
        let names = [Kind::FUNCTION_NAME, Kind::PROCEDURE_NAME, Kind::AGGREGATE_NAME];
        let node = names.into_iter().find_map(|kind| at.child(kind));
        let Some(path) = node.and_then(Path::of) else { return self.blur(Sort::Function) };
        let effects = body.map(|(body, _)| Effects::of_body(body)).unwrap_or_default();
        let language = body.map(|(body, _)| body.language);
        let (path_of_body, reads) = self.reading(|catalog| catalog.function_parts(at, language));
        self.born(Sort::Function, &path.name, &path.span);
        self.refer_qualifier(&path, false);
        let Some(schema) = self.target(&path) else { return self.blur(Sort::Function) };
        let mut made = self.made(Sort::Function, &path.span);
        made.sure &= self.is_certain(&path, &schema);
        self.note_instead_of(&schema, &path, made);
        let (signature, given) = (signature(at), path.qualifier.clone());
        let defined = self.function_as(at, node);
        // The server checks a function in SQL when it makes it, and others when they run.
        let now = body.filter(|(body, _)| body.language == Language::Sql && self.checks_bodies);
        if now.is_none() {
            self.keep_body((&schema, &path.name, &signature), path_of_body.clone());
        }
        self.confirm_schema(&path);
        let replaces = at.has(Kind::OR_REPLACE) || self.perhaps;
        let function = Key { schema: schema.clone(), name: path.name.clone() };
        let signatures = vec![signature.clone()];
        let is_volatile = is_volatile(at, body.map(|(body, _)| body));
        let effects = Rc::new(effects);
        let routine = Routine { signatures, is_volatile, effects, ..Routine::unknown(made) };
        let qualified = Path { qualifier: Some(schema), ..path };
        if self.put_function(&qualified, routine) && !replaces {
            let path = Path { qualifier: given, ..qualified.clone() };
            self.doubled(Sort::Function, &path);
        }
        self.depend_all(reads, User::whole(Sort::Function, function));
        self.define_function(&qualified, &signature, defined);
        if let Some((body, offset)) = now {
            let before = std::mem::replace(&mut self.path, path_of_body);
            self.body(at, body, offset);
            self.path = before;
        }
    }

    /// What a function names; returns the path of its body.
    fn function_parts(&mut self, at: At<'_>, language: Option<Language>) -> SearchPath {
        let before = self.path.clone();
        for part in at.children() {
            match part.kind() {
                Kind::FUNC_OPTION_LIST => self.function_options(part),
                // A function in C can be the first to name its type.
                Kind::RET_TYPE if language == Some(Language::Other) => {}
                Kind::ATOMIC_BODY | Kind::RETURN_STMT => {
                    self.expression(part, &Scope { is_body: true, ..Scope::open() });
                }
                _ => self.references(part),
            }
        }
        std::mem::replace(&mut self.path, before)
    }

    /// Puts a function beside those of its name; whether one with its arguments is there.
    fn put_function(&mut self, path: &Path, new: Routine) -> bool {
        let is_found = matches!(self.look(path, Sort::Function), Look::Found(_));
        let (perhaps, schema) = (self.perhaps, path.qualifier.as_deref().unwrap_or_default());
        let routines = &mut self.schema_mut(schema).routines;
        let Some(routine) = routines.objects.get_mut(&path.name) else {
            routines.put(path.name.clone(), new);
            return false;
        };
        if !is_found {
            routine.unsure.clone_from(&routine.signatures);
        }
        let Routine { signatures, unsure, .. } = routine;
        let is_there = |one: &String| signatures.contains(one) && !unsure.contains(one);
        let doubled = new.signatures.iter().all(is_there);
        for one in new.signatures {
            if !perhaps {
                unsure.retain(|other| *other != one);
            }
            if !signatures.contains(&one) {
                unsure.extend(perhaps.then(|| one.clone()));
                signatures.push(one);
            }
        }
        routine.is_volatile &= new.is_volatile;
        routine.effects = Rc::new(Effects::both(&routine.effects, &new.effects));
        if !perhaps {
            let place = routine.made.place.or(new.made.place);
            routine.made = Made { place, ..new.made };
        }
        doubled && is_found
    }

    /// The options of a function: what they name, with its own `search_path`.
    fn function_options(&mut self, list: At<'_>) {
        for option in list.children().filter(|option| option.kind() == Kind::SET_FUNC_OPTION) {
            self.set(option);
        }
        if let Some(support) = list.child(Kind::SUPPORT_FUNC_OPTION) {
            self.references(support);
        }
    }

    /// `DROP FUNCTION` and the like.
    pub(super) fn drop_functions(&mut self, at: At<'_>) {
        let conditional = at.has(Kind::IF_EXISTS);
        let signatures: Vec<At<'_>> = at.all().filter(|node| is_signature(node.kind())).collect();
        for node in signatures {
            let Some(path) = signature_name(node) else {
                self.blur(Sort::Function);
                continue;
            };
            let Some(schema) = self.refer_function(&path, conditional) else { continue };
            let perhaps = self.drops_perhaps(&path, &schema, conditional);
            if !at.has(Kind::CASCADE) && !perhaps {
                let on = On::Function(schema.clone(), path.name.clone());
                self.refuse_drop(Sort::Function, &on, &path, &[]);
            }
            let gone = self.gone_as(How::Dropped, &path.span);
            let wanted = node.has(Kind::PARAM_LIST).then(|| signature(node));
            self.forget_bodies(&schema, &path.name);
            let routines = &mut self.schema_mut(&schema).routines;
            let Some(routine) = routines.objects.get_mut(&path.name) else { continue };
            let known = routine.signatures.len();
            if let Some(wanted) = wanted.as_ref().filter(|_| !perhaps) {
                routine.signatures.retain(|signature| signature != wanted);
            }
            if known == 1 && (wanted.is_none() || routine.signatures.is_empty()) && !perhaps {
                routines.take(&path.name, gone);
            } else if perhaps || known <= 1 || routine.signatures.len() == known {
                routines.doubt(&path.name);
            }
        }
        if at.has(Kind::CASCADE) {
            self.cascade_to_columns();
        }
    }

    /// `ALTER FUNCTION` and the like.
    pub(super) fn alter_function(&mut self, at: At<'_>) {
        let node = at.children().find(|node| is_signature(node.kind()));
        let Some(path) = node.and_then(signature_name) else { return self.blur(Sort::Function) };
        let found = self.refer_function(&path, false);
        let action = RENAMES.into_iter().find_map(|kind| at.child(kind));
        let to = action.and_then(|to| to.children().next()).and_then(Path::of);
        let moved = self.moved(at);
        if action.is_none() && moved.is_none() {
            let signature = node.map(signature).unwrap_or_default();
            self.doubt_volatility(found.as_deref(), &path.name);
            return self.redefine_options(&path, &signature, at);
        }
        let schema = found.clone().or_else(|| self.target(&path));
        let Some(schema) = schema.filter(|_| !self.perhaps) else {
            return self.blur(Sort::Function);
        };
        if moved.as_ref().is_some_and(|to| to.name == schema) {
            return;
        }
        let how = match (&to, &moved) {
            (Some(to), _) => How::Renamed(to.name.clone()),
            (None, Some(to)) => How::Moved(to.name.clone()),
            (None, None) => return self.blur(Sort::Function),
        };
        let made = Made { sure: true, ..self.made(Sort::Function, &path.span) };
        let wanted = node.filter(|node| node.has(Kind::PARAM_LIST)).map(signature);
        let taken = self.take_functions(&schema, &path, wanted.as_deref(), how);
        let old = taken.unwrap_or_else(|| Routine::unknown(made));
        let (before, mut parts) = (old.made, old.signatures.clone());
        // What names one of several functions does not say which.
        let others = self.schemas.objects.get(&schema).map(|found| &found.routines.objects);
        if !others.is_some_and(|others| others.contains_key(&path.name)) {
            parts.push(String::new());
        }
        let target = moved.map_or(schema, |to| to.name);
        let name = to.map_or(path.name, |to| to.name);
        self.born(Sort::Function, &name, &path.span);
        let path = Path { qualifier: Some(target), name, span: path.span };
        self.put_function(&path, Routine { made, ..old });
        self.redefine_functions(&before, &path, &parts);
    }

    /// `ALTER FUNCTION f() IMMUTABLE` and the like.
    fn doubt_volatility(&mut self, schema: Option<&str>, name: &str) {
        let schema = schema.and_then(|schema| self.schemas.objects.get_mut(schema));
        if let Some(routine) = schema.and_then(|schema| schema.routines.objects.get_mut(name)) {
            routine.is_volatile = false;
        }
    }

    /// The functions of a name that another name or schema is given to: one if its arguments are known, or all.
    fn take_functions(
        &mut self,
        schema: &str,
        path: &Path,
        wanted: Option<&str>,
        how: How,
    ) -> Option<Routine> {
        let gone = self.gone_as(how, &path.span);
        let routines = &mut self.schema_mut(schema).routines;
        let all = routines.objects.get_mut(&path.name);
        let Some(all) = all.filter(|all| all.signatures.len() != 1) else {
            return routines.take(&path.name, gone);
        };
        let Some(at) = all.signatures.iter().position(|one| Some(one.as_str()) == wanted) else {
            all.made.sure = false;
            return Some(all.clone());
        };
        let signatures = vec![all.signatures.remove(at)];
        Some(Routine { signatures, ..all.clone() })
    }

    /// The effects of the function that a name can mean.
    pub(super) fn effects_of(&self, path: &Path) -> Option<Rc<Effects>> {
        let schema = match self.look_function(path) {
            Look::Found(schema) | Look::Perhaps(schema) => schema,
            Look::Unknown | Look::Missing => return None,
        };
        let schema = self.schemas.objects.get(&schema)?;
        Some(schema.routines.objects.get(&path.name)?.effects.clone())
    }
}

pub(super) fn is_signature(kind: Kind) -> bool {
    matches!(kind, Kind::FUNCTION_SIG | Kind::PROCEDURE_SIG | Kind::ROUTINE_SIG | Kind::AGGREGATE)
}

/// The name in a reference to a function with its arguments.
pub(super) fn signature_name(at: At<'_>) -> Option<Path> {
    at.children().find(|child| child.kind() != Kind::PARAM_LIST).and_then(Path::of)
}

/// Whether the server calls a new function for each row: one in SQL can be replaced by what it returns, so its body has
/// to call another one.
fn is_volatile(at: At<'_>, body: Option<&Body>) -> bool {
    let is_other =
        |word: &str| word.eq_ignore_ascii_case("immutable") || word.eq_ignore_ascii_case("stable");
    let is_declared = !at.tokens().iter().any(|token| is_other(at.text_of(*token)));
    is_declared
        && match body {
            Some(body) if body.language != Language::Sql => true,
            Some(body) => alter::is_volatile(&body.text),
            None => alter::is_volatile(at.text()),
        }
}

/// The types of the arguments of a function that say which one it is.
fn signature(at: At<'_>) -> String {
    let list = at.child(Kind::PARAM_LIST);
    let parameters = list.into_iter().flat_map(At::children);
    let types = parameters.filter(|one| one.kind() == Kind::PARAM && !one.has(Kind::PARAM_OUT));
    let types = types.filter_map(|one| one.children().find(|c| super::types::is_type(c.kind())));
    types.map(written).collect::<Vec<_>>().join(",")
}

/// A type in one spelling.
fn written(at: At<'_>) -> String {
    let words = at.tokens().iter().map(|token| at.text_of(*token).to_ascii_lowercase());
    let text = words.collect::<Vec<_>>().join(" ");
    let text = text.split(" (").next().unwrap_or_default().trim_start_matches("pg_catalog . ");
    let array = at.tokens().iter().any(|token| token.kind == Kind::L_BRACK);
    let base = spelled(text.trim_end_matches(" [ ]"));
    format!("{}{}", name::cut(base), if array { "[]" } else { "" })
}
