//! Extensions: the names that those of the server's own distribution make; others can make any.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::Catalog;
use super::function::Routine;
use super::name::{self, Path};
use super::object::{How, Look, Sort, Way};
use super::relation::{Key, Relation};
use super::types::Type;
use crate::syntax::tree::{At, Kind};

/// A line for each: its name, functions, types and relations.
const KNOWN: &str = include_str!("extensions.txt");

/// Extensions that make functions and types, and no relations but these in the schema of the extension.
const OTHERS: &[(&str, &str)] = &[
    ("postgis", "spatial_ref_sys geometry_columns geography_columns"),
    ("postgis_raster", "raster_columns raster_overviews"),
    ("pgtap", "tap_funky pg_all_foreign_keys"),
];

/// Those that make functions and types alone.
const PLAIN: &[&str] = &[
    "postgis_topology", "pgrouting", "h3", "timescaledb", "pg_cron", "pgjwt", "pg_uuidv7", "rum",
    "pgroonga", "pg_bigm", "pg_net", "http", "plv8", "semver", "pg_hashids", "vchord",
    "vectorscale", "pg_search",
];

/// Whether an extension of the server's distribution makes a function or a type of this name.
pub(super) fn makes(name: &str) -> bool {
    static ALL: OnceLock<FxHashSet<&str>> = OnceLock::new();
    let all =
        || KNOWN.lines().flat_map(|line| line.split('|').skip(1)).flat_map(str::split_whitespace);
    ALL.get_or_init(|| all().collect()).contains(name)
}

impl Catalog {
    pub(super) fn create_extension(&mut self, at: At<'_>) {
        let name = at.child(Kind::EXTENSION).and_then(name::name);
        let named = at.find(Kind::EXTENSION_SCHEMA).and_then(|at| at.child(Kind::SCHEMA_REF));
        let schema = named.and_then(Path::of);
        if let Some(schema) = &schema {
            self.refer_schema(schema, false);
        }
        let span = at.span();
        let anywhere = Path { qualifier: None, name: String::new(), span: span.clone() };
        let target = schema.map(|schema| schema.name).or_else(|| self.target(&anywhere));
        let (Some(name), Some(schema)) = (name, target) else { return self.blur_all() };
        let path = Path { qualifier: None, name: name.clone(), span: span.clone() };
        match self.extensions.look(&name, &self.blurs).map(|_| ()) {
            Look::Found(()) if at.has(Kind::IF_NOT_EXISTS) => return,
            Look::Found(()) => return self.doubled(Sort::Extension, &path),
            _ => {}
        }
        let made = self.made(Sort::Extension, &span);
        self.extensions.put(name.clone(), made);
        if matches!(name.as_str(), "plpgsql" | "plperl" | "plpython3u" | "pltcl") {
            return;
        }
        let known = KNOWN.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix('|'));
        if let Some(known) = known {
            return self.extend_by(known, &schema, at);
        }
        let others =
            OTHERS.iter().find(|(other, _)| *other == name).map(|(_, relations)| *relations);
        let relations = others.or(PLAIN.contains(&name.as_str()).then_some(""));
        let makes: &[Sort] = match relations {
            Some(_) => &[Sort::Function, Sort::Type],
            // It fails if one of its names is taken, and leaves the objects of others as they are.
            None => &[Sort::Function, Sort::Type, Sort::Table, Sort::Schema],
        };
        for sort in makes {
            self.blurs.set(Way::Makes, *sort, self.stamp);
        }
        let relations = relations.unwrap_or_default();
        relations.split_whitespace().for_each(|one| self.extend(&schema, one, at));
    }

    /// Makes what an extension of the server's distribution makes.
    fn extend_by(&mut self, known: &str, schema: &str, at: At<'_>) {
        let mut kinds = known.split('|').map(str::split_whitespace);
        for function in kinds.next().into_iter().flatten() {
            let made = self.made(Sort::Function, &at.span());
            self.schema_mut(schema).routines.put(function.to_owned(), Routine::unknown(made));
        }
        for one in kinds.next().into_iter().flatten() {
            let made = self.made(Sort::Type, &at.span());
            self.schema_mut(schema).types.put(one.to_owned(), Type::unknown(made));
        }
        kinds.next().into_iter().flatten().for_each(|one| self.extend(schema, one, at));
    }

    /// Whether an extension can have made a name before the set: one that creates no extension finds them there.
    pub(super) fn is_of_extension(&mut self, name: &str) -> bool {
        let is_there = !self.creates_extensions && makes(name);
        self.has_presumed |= is_there;
        is_there
    }

    /// A relation of an extension.
    fn extend(&mut self, schema: &str, name: &str, at: At<'_>) {
        let made = self.made(Sort::Table, &at.span());
        let key = Key { schema: schema.to_owned(), name: name.to_owned() };
        self.schema_mut(&key.schema).relations.put(key.name, Relation::unknown(made));
    }

    /// `DROP EXTENSION`: what it made is gone, and with CASCADE what depends on that.
    pub(super) fn drop_extension(&mut self, at: At<'_>) {
        let nodes = at.every(Kind::EXTENSION_REF);
        let names: Vec<String> = nodes.filter_map(name::name).collect();
        if self.is_trial && !at.has(Kind::CASCADE) {
            return self.forget_extensions(&names, at);
        }
        for name in names {
            match self.extensions.objects.get_mut(&name).filter(|_| self.perhaps) {
                Some(made) => made.sure = false,
                None => _ = self.extensions.objects.remove(&name),
            }
        }
        self.doubt_extensions();
        if at.has(Kind::CASCADE) {
            self.cascade_to_columns();
        }
    }

    /// What extensions made is gone: the server refuses to drop one if an object of the set needs that.
    fn forget_extensions(&mut self, names: &[String], at: At<'_>) {
        for name in names {
            let gone = self.gone_as(How::Dropped, &at.span());
            let made = self.extensions.take(name, gone);
            let Some(origin) = made.and_then(|made| made.place) else { continue };
            for schema in self.schemas.objects.values_mut() {
                schema.relations.forget_of(origin);
                schema.types.forget_of(origin);
                schema.routines.forget_of(origin);
            }
        }
    }

    /// `ALTER EXTENSION`: what it made can be gone, or anywhere. The objects of the set are as they were.
    pub(super) fn change_extension(&mut self) {
        for sort in [Sort::Function, Sort::Type] {
            self.blurs.set(Way::Makes, sort, self.stamp);
        }
        self.doubt_extensions();
    }

    fn doubt_extensions(&mut self) {
        for schema in self.schemas.objects.values_mut() {
            schema.doubt_extensions();
        }
    }
}
