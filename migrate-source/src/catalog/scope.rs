//! Which schema a name without one means: the `search_path`, as the file sets it.

use super::Catalog;
use super::name::{self, Path};
use super::object::{Look, Made, Names, Object, Sort};
use super::relation::{Key, Relation};
use super::schema::is_system;
use crate::syntax::tree::{At, Kind};

/// The schema of temporary tables, which is searched first.
pub(super) const TEMPORARY: &str = "pg_temp";

/// The tables in which tools record what ran, sorted; they make them before the first migration.
const LEDGERS: &[&str] = &[
    "__diesel_schema_migrations",
    "__drizzle_migrations",
    "_migrations",
    "_prisma_migrations",
    "_sqlx_migrations",
    "alembic_version",
    "ar_internal_metadata",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "flyway_schema_history",
    "goose_db_version",
    "gorp_migrations",
    "knex_migrations",
    "knex_migrations_lock",
    "migrations",
    "pgmigrations",
    "refinery_schema_history",
    "schema_info",
    "schema_migrations",
    "schema_version",
    "schemaversion",
];

/// The schemas in which names are searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SearchPath {
    schemas: Vec<String>,
    /// Schemas that are searched last, perhaps.
    doubtful: Vec<String>,
    /// Whether it is certain.
    known: bool,
}

impl Default for SearchPath {
    fn default() -> Self {
        SearchPath { schemas: vec!["public".to_owned()], doubtful: Vec::new(), known: true }
    }
}

impl SearchPath {
    /// Puts a schema first, and returns the path before it.
    pub(super) fn enter(&mut self, schema: String) -> SearchPath {
        let before = self.clone();
        self.schemas.insert(0, schema);
        before
    }

    /// Searches a schema before all others, also before that of temporary tables, and returns the path before it.
    pub(super) fn begin_with(&mut self, schema: String) -> SearchPath {
        let before = self.enter(TEMPORARY.to_owned());
        self.enter(schema);
        before
    }

    /// Adds schemas at the end: those that the caller of a function can have in its path.
    pub(super) fn also<'s>(&mut self, schemas: impl Iterator<Item = &'s String>) {
        for schema in schemas {
            if !self.schemas.contains(schema) && !self.doubtful.contains(schema) {
                self.doubtful.push(schema.clone());
            }
        }
    }

    /// The schemas, also those that are only perhaps searched.
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.schemas.iter().chain(&self.doubtful)
    }

    /// The schemas, in the order in which they are searched.
    pub(super) fn searched(&self) -> impl Iterator<Item = &String> {
        self.schemas.iter()
    }

    pub(super) fn unknown() -> Self {
        SearchPath { known: false, ..SearchPath::default() }
    }
}

impl Catalog {
    /// `SET search_path = a, b`, also in the options of a function.
    pub(super) fn set(&mut self, at: At<'_>) {
        let parameter = at.find(Kind::CONFIG_PARAMETER_REF).map(At::text);
        let is_path = parameter.is_some_and(|name| name.eq_ignore_ascii_case("search_path"));
        let of_bodies = |name: &str| name.eq_ignore_ascii_case("check_function_bodies");
        if parameter.is_some_and(of_bodies) {
            self.checks_bodies = false;
        }
        if !is_path && at.find(Kind::SET_SCHEMA_VALUE).is_none() {
            return;
        }
        let values =
            at.all().filter(|node| matches!(node.kind(), Kind::CONFIG_VALUE_NAME | Kind::LITERAL));
        let values: Option<Vec<String>> =
            values
                .map(|node| {
                    if node.kind() == Kind::LITERAL { name::string(node) } else { name::name(node) }
                })
                .collect();
        let is_default = at.tokens().iter().any(|token| token.kind == Kind::DEFAULT_KW);
        self.path = match values {
            _ if self.perhaps => SearchPath::unknown(),
            Some(_) if is_default => SearchPath::default(),
            // `FROM CURRENT`.
            Some(schemas) if schemas.is_empty() => return,
            Some(schemas) => searched(schemas),
            None => SearchPath::unknown(),
        };
    }

    /// With some tools, a path outlasts its file.
    pub(super) fn outlast(&mut self, at: At<'_>) {
        if at.find(Kind::LOCAL_SCOPE).is_none() {
            let schemas = self.path.schemas.clone();
            self.default_path.also(schemas.iter());
        }
    }

    /// `ALTER DATABASE .. SET search_path`, which the next session has.
    pub(super) fn set_default(&mut self, at: At<'_>) {
        if at.text().to_ascii_lowercase().contains("search_path") {
            self.default_path = SearchPath::unknown();
        }
    }

    /// A temporary table may be gone in the next file.
    pub(super) fn doubt_temporary(&mut self) {
        if let Some(schema) = self.schemas.objects.get_mut(TEMPORARY) {
            for relation in schema.relations.objects.values_mut() {
                relation.made_mut().sure = false;
            }
        }
    }

    /// `RESET search_path`, `RESET ALL`, `DISCARD ALL`.
    pub(super) fn reset(&mut self, at: At<'_>) {
        let text = at.text().to_ascii_lowercase();
        if text.contains("search_path") || text.ends_with("all") {
            self.path = if self.perhaps { SearchPath::unknown() } else { SearchPath::default() };
        }
    }

    /// `set_config('search_path', ..)` in a query.
    pub(super) fn set_config(&mut self, call: At<'_>) {
        let Some(arguments) = call.child(Kind::ARG_LIST) else { return };
        let mut arguments = arguments.children().filter_map(|arg| arg.children().next());
        let parameter = arguments.next().and_then(name::string);
        if parameter.is_some_and(|parameter| !parameter.eq_ignore_ascii_case("search_path")) {
            return;
        }
        self.path = match arguments.next().and_then(name::string) {
            Some(value) if !self.perhaps => {
                searched(value.split(',').map(|part| part.trim().replace('"', "")).collect())
            }
            _ => SearchPath::unknown(),
        };
    }

    /// The schema in which a statement makes an object.
    pub(super) fn target(&self, path: &Path) -> Option<String> {
        match &path.qualifier {
            Some(schema) => Some(schema.clone()),
            None if self.path.known => {
                let there =
                    |schema: &&String| self.schemas.look(schema, &self.blurs).there().is_some();
                // One that is not there is left out.
                self.path.schemas.iter().find(there).or(self.path.schemas.first()).cloned()
            }
            None => None,
        }
    }

    /// Whether a statement that drops what a name means in this schema may not do so: it may not run, or has `IF EXISTS`,
    /// and the schema is searched only if a path of an earlier file lasted until here.
    pub(super) fn drops_perhaps(&self, path: &Path, schema: &String, conditional: bool) -> bool {
        let is_doubtful = || path.qualifier.is_none() && self.path.doubtful.contains(schema);
        self.perhaps || conditional && is_doubtful()
    }

    /// Whether it is certain in which schema a statement makes an object.
    pub(super) fn is_certain(&self, path: &Path, target: &str) -> bool {
        let before = self.path.schemas.iter().take_while(|schema| *schema != target);
        path.qualifier.is_some()
            || self.instead_of(target).is_empty()
                && before.into_iter().all(|one| self.schemas.look(one, &self.blurs).is_missing())
    }

    /// The schemas in which a statement makes its object if this one, which is searched before them, is not there.
    fn instead_of(&self, target: &str) -> Vec<String> {
        let mut others = Vec::new();
        if target == TEMPORARY {
            return others;
        }
        for schema in self.path.searched().skip_while(|schema| *schema != target) {
            let known = self.schemas.look(schema, &self.blurs);
            let is_sure = matches!(known, Look::Found(_));
            if schema != target && known.there().is_some() {
                others.push(schema.clone());
            }
            if is_sure {
                break;
            }
        }
        others
    }

    /// Notes that what a statement makes in this schema is in another if this one is not there. An index is where its
    /// table is, whatever its own path is.
    pub(super) fn note_instead_of(&mut self, target: &str, path: &Path, made: Made) {
        if path.qualifier.is_none() || made.sort == Sort::Index {
            self.note_named_instead_of(target, &path.name, made);
        }
    }

    /// The same for what has no path of its own.
    pub(super) fn note_named_instead_of(&mut self, target: &str, name: &str, made: Made) {
        for other in self.instead_of(target) {
            self.schema_mut(&other).gain(name, Made { sure: false, ..made });
        }
    }

    /// Notes that something else can have the name of a relation that a statement makes in this schema: there, in
    /// another schema that is searched, or in that schema if this one is not there.
    pub(super) fn note_either(&mut self, path: &Path, target: &str) {
        if !self.defines() {
            return;
        }
        let has = |schema: &String| {
            let key = Key { schema: schema.clone(), name: path.name.clone() };
            self.relation(&key).is_some()
        };
        let key = Key { schema: target.to_owned(), name: path.name.clone() };
        let is_perhaps = matches!(self.look_in(&key), Look::Perhaps(()));
        let is_there = matches!(self.schemas.look(target, &self.blurs), Look::Found(_));
        let mut others = self.path.searched().filter(|schema| *schema != target);
        let is_open = path.qualifier.is_none()
            && others.any(|schema| self.perhaps && has(schema) || target != TEMPORARY && !is_there);
        if is_perhaps || is_open {
            self.either.insert(path.name.clone());
        }
    }

    /// The relation that a name means.
    pub(super) fn look_relation(&self, path: &Path) -> Look<Key> {
        let name = &path.name;
        if path.qualifier.is_none() && name.starts_with("pg_") || is_ledger(name) {
            return Look::Unknown;
        }
        let found = self.look(path, Sort::Table).map(|schema| Key { schema, name: name.clone() });
        match found {
            // What hangs on a relation is dropped with it.
            Look::Found(key) if !self.has_owner(&key) => Look::Perhaps(key),
            found => found,
        }
    }

    /// What is known of a relation in its schema.
    pub(super) fn look_in(&self, key: &Key) -> Look<()> {
        if is_ledger(&key.name) {
            return Look::Unknown;
        }
        match self.look_within(&key.schema, Sort::Table, &key.name) {
            Look::Found(()) if !self.has_owner(key) => Look::Perhaps(()),
            found => found,
        }
    }

    /// Whether a relation that hangs on another is certain, as far as that is.
    fn has_owner(&self, key: &Key) -> bool {
        let owner = self.relation(key).and_then(|relation| relation.owner.as_ref());
        owner.is_none_or(|owner| self.relation(owner).is_some_and(|one| one.is_sure(&self.blurs)))
    }

    /// The schema of what a name means, among the types, the functions or the relations.
    pub(super) fn look(&self, path: &Path, sort: Sort) -> Look<String> {
        if let Some(schema) = &path.qualifier {
            return self.look_within(schema, sort, &path.name).map(|()| schema.clone());
        }
        let mut known = self.path.known;
        let mut search =
            |schema: &str, is_searched: bool| match self.look_within(schema, sort, &path.name) {
                Look::Found(()) if known && is_searched => Some(Look::Found(schema.to_owned())),
                Look::Found(()) | Look::Perhaps(()) => Some(Look::Perhaps(schema.to_owned())),
                Look::Unknown => {
                    known = false;
                    None
                }
                Look::Missing => None,
            };
        // It is searched first unless the path names it.
        let has_temporary = self.schemas.objects.contains_key(TEMPORARY)
            && self.path.searched().all(|schema| schema != TEMPORARY);
        let found = if has_temporary { search(TEMPORARY, true) } else { None };
        let SearchPath { schemas, doubtful, .. } = &self.path;
        let found = found.or_else(|| schemas.iter().find_map(|schema| search(schema, true)));
        let found = found.or_else(|| doubtful.iter().find_map(|schema| search(schema, false)));
        found.unwrap_or(if known { Look::Missing } else { Look::Unknown })
    }

    /// What is known of a name in a schema.
    fn look_within(&self, schema: &str, sort: Sort, name: &str) -> Look<()> {
        let found = match self.schemas.objects.get(schema) {
            _ if is_system(schema) => return Look::Unknown,
            None => return self.schemas.look_at(schema, &self.blurs),
            Some(found) => found.space(sort).look_at(name, &self.blurs),
        };
        // Only the set makes temporary tables.
        let is_sure = schema == TEMPORARY || self.schemas.found(schema, &self.blurs).is_some();
        match found {
            found if is_sure => found,
            Look::Found(()) | Look::Perhaps(()) => Look::Perhaps(()),
            Look::Unknown | Look::Missing => Look::Unknown,
        }
    }

    /// A relation that is there, perhaps.
    pub(super) fn relation(&self, key: &Key) -> Option<&Relation> {
        self.schemas.objects.get(&key.schema)?.relations.objects.get(&key.name)
    }

    pub(super) fn relation_mut(&mut self, key: &Key) -> Option<&mut Relation> {
        self.schemas.objects.get_mut(&key.schema)?.relations.objects.get_mut(&key.name)
    }
}

/// Whether it is the name of the table that another tool keeps.
pub(super) fn is_ledger(name: &str) -> bool {
    // Most names are shorter than all of these.
    name.len() >= 10 && LEDGERS.binary_search(&name).is_ok()
}

/// The path of these schemas; that of the user usually does not exist.
fn searched(mut schemas: Vec<String>) -> SearchPath {
    schemas.retain(|schema| !matches!(schema.as_str(), "$user" | "pg_catalog" | ""));
    let known = !schemas.iter().any(|schema| schema.contains(['{', ':', '$']));
    SearchPath { schemas, doubtful: Vec::new(), known }
}
