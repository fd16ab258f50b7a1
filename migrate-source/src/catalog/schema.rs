//! Schemas, each with the spaces of its names.

use rustc_hash::FxHashSet;

use super::Catalog;
use super::function::Routine;
use super::name::Path;
use super::object::{Blurs, How, Look, Made, Names, Object, Sort, Space, objects};
use super::relation::Relation;
use super::scope::TEMPORARY;
use super::types::Type;
use crate::directives::edit_distance;
use crate::syntax::tree::{At, Kind};

/// A schema and what is in it.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    pub(super) made: Made,
    /// Tables, views, sequences and indexes, which share a name space.
    pub(super) relations: Space<Relation>,
    pub(super) types: Space<Type>,
    pub(super) routines: Space<Routine>,
    /// The names that constraints of its tables and domains have had.
    pub(super) constraint_names: FxHashSet<String>,
}

impl Schema {
    pub(super) fn new(made: Made) -> Self {
        Schema {
            made,
            relations: Space::new(Sort::Table, made.stamp),
            types: Space::new(Sort::Type, made.stamp),
            routines: Space::new(Sort::Function, made.stamp),
            constraint_names: FxHashSet::default(),
        }
    }

    /// What is known of a constraint of this name of its tables and domains; `Missing` also if too many were `searched`
    /// before.
    pub(super) fn look_constraint(
        &self,
        name: &str,
        blurs: &Blurs,
        searched: &mut usize,
    ) -> Look<()> {
        // Most names are new: then no table needs to be searched.
        if !self.constraint_names.contains(name) || *searched >= SEARCHED {
            return Look::Missing;
        }
        *searched += self.relations.objects.len() + self.types.objects.len();
        let tables = self.relations.objects.values().filter_map(|table| {
            let known = table.constraints.look_at(name, blurs);
            known.there().map(|()| known == Look::Found(()) && table.is_sure(blurs))
        });
        let domains = self.types.objects.values();
        let domains = domains.filter_map(|domain| domain.constraints.get(name).copied());
        match tables.chain(domains).max() {
            Some(true) => Look::Found(()),
            Some(false) => Look::Perhaps(()),
            None => Look::Missing,
        }
    }

    /// The names of its types, its functions, or its relations.
    pub(super) fn space(&self, sort: Sort) -> &dyn Names {
        match sort {
            Sort::Type => &self.types,
            Sort::Function => &self.routines,
            _ => &self.relations,
        }
    }

    /// An object can be made in it, of which nothing else is known then.
    pub(super) fn gain(&mut self, name: &str, made: Made) {
        let key = name.to_owned();
        match made.sort {
            Sort::Type => {
                self.types.gain(key, Type::unknown(made), true);
                self.types.objects.get_mut(name).into_iter().for_each(|one| one.labels.open = true);
            }
            Sort::Function => self.routines.gain(key, Routine::unknown(made), true),
            _ => {
                self.relations.gain(key, Relation::unknown(made), true);
                self.relations.objects.get_mut(name).into_iter().for_each(Relation::open);
            }
        }
    }

    /// What an extension made in it can be gone.
    pub(super) fn doubt_extensions(&mut self) {
        for one in self.routines.objects.values_mut().filter(|one| !one.has_signature()) {
            one.made_mut().sure = false;
        }
        for one in self.types.objects.values_mut().filter(|one| one.is_open()) {
            one.made_mut().sure = false;
        }
    }

    /// There can be more in it than what was seen.
    pub(super) fn open(&mut self) {
        self.relations.open = true;
        self.types.open = true;
        self.routines.open = true;
    }
}

impl Schema {
    /// Whether the set made it, or much of what is in it.
    fn is_own(&self) -> bool {
        let made = self.relations.objects.values().filter(|one| one.made.place.is_some());
        self.made.place.is_some() || made.take(MUCH).count() == MUCH
    }
}

/// How many tables and domains are searched in all for a name that a constraint had. After that the server's names are
/// not known: if each table is renamed and made again, each would be searched for each.
pub(super) const SEARCHED: usize = 300_000;

/// So many relations that the set made in a schema are much of it.
const MUCH: usize = 3;

objects!(Schema: |one| one.relations.open);

/// Whether this is a schema of the server.
pub(super) fn is_system(name: &str) -> bool {
    name.starts_with("pg_") && name != TEMPORARY || name == "information_schema"
}

impl Catalog {
    /// What is known of a schema.
    pub(super) fn look_schema(&self, name: &str) -> Look<()> {
        if is_system(name) {
            Look::Unknown
        } else {
            self.schemas.look(name, &self.blurs).map(|_| ())
        }
    }

    /// The schema of this name; one that was not seen being made can hold anything.
    pub(super) fn schema_mut(&mut self, name: &str) -> &mut Schema {
        let made = Made { sort: Sort::Schema, place: None, stamp: self.stamp, sure: false };
        self.schemas.objects.get_or_insert_with(name, || {
            let mut schema = Schema::new(made);
            if name != TEMPORARY {
                schema.open();
            }
            schema
        })
    }

    /// Something was made under a name with its schema, so that is there.
    pub(super) fn confirm_schema(&mut self, path: &Path) {
        let Some(name) = &path.qualifier else { return };
        let (stamp, perhaps) = (self.stamp, self.perhaps);
        let made = self.schema_mut(name).made_mut();
        if !perhaps {
            (made.sure, made.stamp) = (true, stamp);
        }
    }

    pub(super) fn create_schema(&mut self, at: At<'_>) {
        // AUTHORIZATION names a schema if nothing else does.
        let node = at.find(Kind::SCHEMA).or_else(|| at.find(Kind::ROLE));
        let Some(path) = node.and_then(Path::of) else { return self.blur_all() };
        self.born(Sort::Schema, &path.name, &path.span);
        let conditional = at.has(Kind::IF_NOT_EXISTS);
        match self.look_schema(&path.name) {
            Look::Found(()) if !conditional => self.doubled(Sort::Schema, &path),
            Look::Missing | Look::Unknown => {
                let made = self.made(Sort::Schema, &path.span);
                let mut schema = Schema::new(made);
                if self.perhaps || conditional && self.on_existing {
                    schema.open();
                }
                self.schemas.put(path.name.clone(), schema);
            }
            Look::Found(()) if self.perhaps => {}
            Look::Found(()) | Look::Perhaps(()) => {
                let made = self.made(Sort::Schema, &path.span);
                *self.schema_mut(&path.name).made_mut() = made;
            }
        }
        let before = self.path.enter(path.name);
        let is_name = |kind| {
            matches!(kind, Kind::NAMED_SCHEMA | Kind::AUTHORIZATION_SCHEMA | Kind::IF_NOT_EXISTS)
        };
        for child in at.children().filter(|child| !is_name(child.kind())) {
            self.apply(child);
        }
        self.path = before;
    }

    pub(super) fn drop_schema(&mut self, at: At<'_>) {
        for path in at.each(Kind::SCHEMA_REF).filter_map(Path::of) {
            self.refer_schema(&path, at.has(Kind::IF_EXISTS));
            if self.perhaps {
                self.blur_all();
            } else {
                let gone = self.gone_as(How::Dropped, &path.span);
                self.schemas.take(&path.name, gone);
            }
        }
        if at.has(Kind::CASCADE) {
            self.cascade_to_columns();
            // An extension is dropped with its schema.
            self.extensions.objects.values_mut().for_each(|one| one.sure = false);
        }
    }

    pub(super) fn alter_schema(&mut self, at: At<'_>) {
        let Some(from) = at.child(Kind::SCHEMA_REF).and_then(Path::of) else { return };
        self.refer_schema(&from, false);
        let Some(to) = at.child(Kind::SCHEMA_RENAME_TO) else { return };
        let Some(to) = to.child(Kind::SCHEMA).and_then(Path::of) else { return self.blur_all() };
        self.born(Sort::Schema, &to.name, &to.span);
        self.naming.lost = true;
        if self.perhaps {
            return self.blur_all();
        }
        let gone = self.gone_as(How::Renamed(to.name.clone()), &from.span);
        if let Some(schema) = self.schemas.take(&from.name, gone) {
            self.schemas.put(to.name.clone(), schema);
            self.repoint_schema(&from.name, &to.name);
        }
    }

    /// A use of a schema.
    pub(super) fn refer_schema(&mut self, path: &Path, conditional: bool) {
        let known = self.look_schema(&path.name);
        let is_typo = known == Look::Unknown && self.is_misspelt(&path.name);
        if !conditional && (known.is_missing() || is_typo) {
            self.missing(Sort::Schema, path, None);
            self.schema_mut(&path.name);
        }
    }

    /// Whether a schema that can be there before the set is rather one of the set's, misspelt. Those of
    /// tenants, for example, differ by a number.
    fn is_misspelt(&self, name: &str) -> bool {
        if self.schemas.objects.contains_key(name) || is_system(name) || name.len() < 4 {
            return false;
        }
        let letters = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
        let own = self.schemas.objects.iter().filter(|(known, schema)| {
            (schema.is_own() || *known == "public") && letters(known) != letters(name)
        });
        own.into_iter().any(|(known, _)| edit_distance(known, name) == 1)
    }

    /// The schema to which a statement moves its object.
    pub(super) fn moved(&mut self, at: At<'_>) -> Option<Path> {
        let path = at.child(Kind::SET_SCHEMA)?.child(Kind::SCHEMA_REF).and_then(Path::of)?;
        self.refer_schema(&path, false);
        Some(path)
    }
}
