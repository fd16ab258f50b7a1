//! Types: enums with their labels, composites, domains and ranges.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Catalog;
use super::builtin;
use super::depend::On;
use super::name::{self, Path};
use super::object::{How, Look, Made, Names, Object, Place, Sort, Space, objects};
use super::relation::Key;
use crate::syntax::tree::{At, Kind, any_of};

/// A type.
#[derive(Debug, Clone)]
pub(super) struct Type {
    pub(super) made: Made,
    /// The labels of an enum; open for other types.
    pub(super) labels: Space<Made>,
    /// Whether it is only declared, and defined later.
    is_shell: bool,
    /// The names of a domain's constraints, and whether each is certain.
    pub(super) constraints: BTreeMap<String, bool>,
    /// Whether it is a domain that is NOT NULL, or of another with a constraint.
    pub(super) is_narrow: bool,
}

impl Type {
    /// A type of which nothing else is known.
    pub(super) fn unknown(made: Made) -> Self {
        let (labels, constraints) = (open_labels(&made), BTreeMap::new());
        Type { made, labels, is_shell: false, constraints, is_narrow: false }
    }

    /// Whether it is no enum whose values are known.
    pub(super) fn is_open(&self) -> bool {
        self.labels.open
    }

    /// Where a label was added.
    pub(super) fn place_of(&self, label: &str) -> Option<Place> {
        self.labels.objects.get(label).and_then(|made| made.place)
    }
}

objects!(Type: |_| false);

/// Whether a node is that of a type.
pub(super) fn is_type(kind: Kind) -> bool {
    matches!(
        kind,
        any_of![
            ARRAY_TYPE, PERCENT_TYPE, PATH_TYPE, CHARACTER_TYPE, VARCHAR_TYPE, BIT_TYPE,
            BIT_VARYING_TYPE, DOUBLE_TYPE, TIME_TYPE, TIMESTAMP_TYPE, INTERVAL_TYPE
        ]
    )
}

/// The name of the multirange of a range type: one that is given, or one that the server makes
/// (`makeMultirangeTypeName`).
fn multirange(name: &str, range: At<'_>) -> String {
    let is_given = |option: &At<'_>| {
        let name = option.child(Kind::ATTRIBUTE_NAME).and_then(name::name);
        name.as_deref() == Some("multirange_type_name")
    };
    let given = range.every(Kind::ATTRIBUTE_OPTION).find(is_given);
    let given = given.and_then(|option| option.child(Kind::ATTRIBUTE_VALUE)).and_then(Path::of);
    match (given, name.split_once("range")) {
        (Some(path), _) => path.name,
        (None, Some((begin, end))) => format!("{begin}multirange{end}"),
        (None, None) => format!("{name}_multirange"),
    }
}

/// Whether a type makes a sequence.
fn is_serial(name: &str) -> bool {
    matches!(name, "serial" | "serial2" | "serial4" | "serial8" | "bigserial" | "smallserial")
}

impl Catalog {
    /// The type of a column, which can make a sequence.
    pub(super) fn column_type(&mut self, key: &Key, column: &str, at: At<'_>, span: &Range<usize>) {
        let path = at.find(Kind::PATH_REF).and_then(Path::of);
        match path {
            Some(path) if path.qualifier.is_none() && is_serial(&path.name) => {
                self.own_sequence(key, column, (at, span));
                self.define_serial(key, column, &path.name);
            }
            _ => self.column_needs(key, column, at),
        }
    }

    pub(super) fn look_type(&self, path: &Path) -> Look<String> {
        if path.qualifier.is_none() && builtin::is_type(&path.name) || path.name.starts_with('_') {
            return Look::Unknown;
        }
        let known = self.look(path, Sort::Type);
        match known {
            Look::Missing => match self.look_relation(path) {
                Look::Missing if !self.ranges.contains(&path.name) => Look::Missing,
                _ => Look::Unknown,
            },
            known => known,
        }
    }

    /// A use of a type.
    pub(super) fn refer_type(
        &mut self,
        path: &Path,
        conditional: bool,
    ) -> Option<(String, String)> {
        self.note_name(Some(&path.name));
        match self.look_type(path) {
            Look::Found(schema) => {
                self.note(|| On::Type(schema.clone(), path.name.clone()));
                Some((schema, path.name.clone()))
            }
            Look::Perhaps(schema) => {
                // The statement would fail if it were not there.
                let certain = !conditional && !self.may_not_run();
                let certain = certain && self.schemas_with(path, Sort::Type).len() < 2;
                let stamp = self.stamp;
                let found = (schema, path.name.clone());
                if let Some(one) = self.type_mut(&found).filter(|_| certain) {
                    one.made.sure = true;
                    one.made.stamp = stamp;
                }
                Some(found)
            }
            Look::Unknown => {
                self.refer_qualifier(path, conditional);
                None
            }
            Look::Missing if conditional || self.is_of_extension(&path.name) => None,
            Look::Missing => {
                self.missing(Sort::Type, path, None);
                let made = Made { place: None, sure: false, ..self.made(Sort::Type, &path.span) };
                if let Some(schema) = self.target(path).filter(|_| !self.may_not_run()) {
                    self.schema_mut(&schema).types.put(path.name.clone(), Type::unknown(made));
                }
                None
            }
        }
    }

    pub(super) fn create_type(&mut self, at: At<'_>) {
        let name = at.child(Kind::TYPE_NAME).or_else(|| at.child(Kind::DOMAIN));
        let Some(path) = name.and_then(Path::of) else { return self.blur(Sort::Type) };
        at.children().for_each(|part| self.references(part));
        self.born(Sort::Type, &path.name, &path.span);
        let Some(schema) = self.target(&path) else { return self.blur(Sort::Type) };
        self.refer_qualifier(&path, false);
        let mut made = self.made(Sort::Type, &path.span);
        made.sure &= self.is_certain(&path, &schema);
        self.note_instead_of(&schema, &path, made);
        let mut labels = open_labels(&made);
        if let Some(list) = at.child(Kind::ENUM_TYPE) {
            labels.open = false;
            for variant in list.every(Kind::VARIANT) {
                match variant.children().next().and_then(name::string) {
                    Some(label) => labels.put(label, self.made(Sort::Label, &variant.span())),
                    None => labels.open = true,
                }
            }
        }
        if let Some(range) = at.child(Kind::RANGE_TYPE) {
            self.ranges.extend([path.name.clone(), multirange(&path.name, range)]);
        }
        let qualified = Path { qualifier: Some(schema.clone()), ..path.clone() };
        match self.look(&qualified, Sort::Type) {
            // A shell type is made twice.
            Look::Found(_) if self.is_shell(&schema, &path.name) => {}
            Look::Found(_) => return self.doubled(Sort::Type, &path),
            Look::Perhaps(_) => labels.open = true,
            Look::Unknown | Look::Missing => {}
        }
        if self.perhaps {
            labels.open = true;
        }
        self.confirm_schema(&path);
        let is_shell = at.kind() == Kind::CREATE_TYPE && at.children().count() == 1;
        let is_narrow = self.is_narrow(at);
        let made = Type { made, labels, is_shell, constraints: BTreeMap::new(), is_narrow };
        self.schema_mut(&schema).types.put(path.name.clone(), made);
        let of = (schema, path.name);
        at.each(Kind::CHECK_CONSTRAINT).for_each(|check| self.put_domain_constraint(&of, check));
        self.define_type(&of, at, name);
    }

    /// Whether what makes a domain says NOT NULL, or names another with a constraint.
    fn is_narrow(&self, at: At<'_>) -> bool {
        let base = at.child(Kind::PATH_TYPE).and_then(|base| base.find(Kind::PATH_REF));
        at.has(Kind::NOT_NULL_CONSTRAINT)
            || at.kind() == Kind::CREATE_DOMAIN
                && base.and_then(Path::of).is_some_and(|base| self.refuses_values(&base))
    }

    /// Whether this is certainly a domain with a constraint.
    pub(super) fn refuses_values(&self, path: &Path) -> bool {
        let Look::Found(schema) = self.look_type(path) else { return false };
        let schema = self.schemas.objects.get(&schema);
        let found = schema.and_then(|schema| schema.types.objects.get(&path.name));
        found.is_some_and(|found| found.is_narrow || !found.constraints.is_empty())
    }

    /// Whether a type is only declared.
    fn is_shell(&self, schema: &str, name: &str) -> bool {
        let found = self.schemas.objects.get(schema).and_then(|s| s.types.objects.get(name));
        found.is_some_and(|found| found.is_shell)
    }

    pub(super) fn drop_types(&mut self, at: At<'_>, names: Kind) {
        let conditional = at.has(Kind::IF_EXISTS);
        let nodes = at.each(names);
        for path in nodes.filter_map(Path::of).collect::<Vec<_>>() {
            let Some((schema, name)) = self.refer_type(&path, conditional) else { continue };
            let perhaps = self.drops_perhaps(&path, &schema, conditional);
            if !at.has(Kind::CASCADE) && !perhaps {
                self.refuse_drop(Sort::Type, &On::Type(schema.clone(), name.clone()), &path, &[]);
            }
            let gone = self.gone_as(How::Dropped, &path.span);
            self.schema_mut(&schema).types.lose(&name, gone, perhaps);
        }
        if at.has(Kind::CASCADE) {
            self.cascade_to_columns();
        }
    }

    pub(super) fn alter_type(&mut self, at: At<'_>) {
        let node = at.child(Kind::TYPE_NAME_REF).or_else(|| at.child(Kind::DOMAIN_REF));
        let Some(path) = node.and_then(Path::of) else { return self.blur(Sort::Type) };
        let found = self.refer_type(&path, false);
        for action in at.children() {
            match (action.kind(), &found) {
                (Kind::ADD_VALUE, Some(found)) => {
                    self.add_value(found, action);
                    self.define_label(found, action);
                }
                (Kind::RENAME_VALUE, Some(found)) => {
                    self.rename_value(found, action);
                    self.define_label(found, action);
                }
                (Kind::TYPE_RENAME_TO | Kind::DOMAIN_RENAME_TO, found) => {
                    let to = action.child(Kind::TYPE_NAME).or_else(|| action.child(Kind::DOMAIN));
                    self.rename_type(&path, found.as_ref(), to.and_then(Path::of).as_ref(), None);
                }
                (Kind::SET_SCHEMA, found) => {
                    let to = self.moved(at);
                    self.rename_type(&path, found.as_ref(), None, to.as_ref());
                }
                (Kind::TYPE_NAME_REF | Kind::DOMAIN_REF | Kind::SCHEMA_REF, _) => {}
                (_, found) => {
                    if let Some(found) = found {
                        self.alter_domain_constraint(found, action);
                    }
                    self.references(action);
                    self.define_setting(self.type_id(&path), action, None);
                }
            }
        }
    }

    fn rename_type(
        &mut self,
        from: &Path,
        found: Option<&(String, String)>,
        to: Option<&Path>,
        into: Option<&Path>,
    ) {
        let Some(schema) = found.map(|(schema, _)| schema.clone()).or_else(|| self.target(from))
        else {
            return self.blur(Sort::Type);
        };
        if into.is_some_and(|into| into.name == schema) {
            return;
        }
        let name = to.unwrap_or(from).name.clone();
        let how = match (to, into) {
            (Some(to), _) => How::Renamed(to.name.clone()),
            (None, Some(into)) => How::Moved(into.name.clone()),
            (None, None) => return self.blur(Sort::Type),
        };
        let target = into.map_or_else(|| schema.clone(), |into| into.name.clone());
        self.born(Sort::Type, &name, &from.span);
        if self.perhaps {
            return self.blur(Sort::Type);
        }
        let gone = self.gone_as(how, &from.span);
        let taken = self.schema_mut(&schema).types.take(&from.name, gone);
        let made = self.made(Sort::Type, &from.span);
        let taken = taken.unwrap_or_else(|| Type::unknown(made));
        let target = self.schema_mut(&target);
        target.constraint_names.extend(taken.constraints.keys().cloned());
        target.types.put(name, taken);
    }

    pub(super) fn type_mut(&mut self, (schema, name): &(String, String)) -> Option<&mut Type> {
        self.schemas.objects.get_mut(schema)?.types.objects.get_mut(name)
    }

    fn look_label(&self, (schema, name): &(String, String), label: &str) -> Look<()> {
        let Some(schema) = self.schemas.objects.get(schema) else { return Look::Unknown };
        match schema.types.look(name, &self.blurs) {
            Look::Found(found) => found.labels.look(label, &self.blurs).map(|_| ()),
            _ => Look::Unknown,
        }
    }

    fn add_value(&mut self, of: &(String, String), at: At<'_>) {
        let Some(literal) = at.child(Kind::LITERAL) else { return };
        let Some(label) = name::string(literal) else { return self.blur(Sort::Label) };
        let (look, conditional) = (self.look_label(of, &label), at.has(Kind::IF_NOT_EXISTS));
        // The server does not look for the neighbour of a value that is there.
        let positions = [Kind::BEFORE_VALUE, Kind::AFTER_VALUE].into_iter();
        for position in positions.filter(|_| !conditional || look.is_missing()) {
            let literal = at.child(position).and_then(|position| position.child(Kind::LITERAL));
            if let Some(literal) = literal {
                self.refer_label(of, literal);
            }
        }
        let made = self.made(Sort::Label, &literal.span());
        self.born(Sort::Label, &label, &literal.span());
        if look == Look::Found(()) {
            if !conditional {
                let path = Path { qualifier: None, name: label, span: literal.span() };
                self.doubled_label(&path, of);
            }
        } else if let Some(found) = self.type_mut(of) {
            found.labels.put(label, made);
        }
    }

    fn refer_label(&mut self, of: &(String, String), literal: At<'_>) {
        let Some(label) = name::string(literal) else { return };
        if self.look_label(of, &label).is_missing() {
            let path = Path { qualifier: None, name: label, span: literal.span() };
            let key = Key { schema: of.0.clone(), name: of.1.clone() };
            self.missing(Sort::Label, &path, Some(&key));
        }
    }

    fn rename_value(&mut self, of: &(String, String), at: At<'_>) {
        let mut literals = at.each(Kind::LITERAL);
        let Some((from, to)) = literals.next().zip(literals.next()) else { return };
        self.refer_label(of, from);
        let Some((from_name, to_name)) = name::string(from).zip(name::string(to)) else {
            return self.blur(Sort::Label);
        };
        let gone = self.gone_as(How::Renamed(to_name.clone()), &from.span());
        let (made, perhaps) = (self.made(Sort::Label, &to.span()), self.perhaps);
        let Some(found) = self.type_mut(of) else { return };
        found.labels.lose(&from_name, gone, perhaps);
        found.labels.put(to_name, made);
    }
}

fn open_labels(made: &Made) -> Space<Made> {
    let mut labels = Space::new(Sort::Label, made.stamp);
    labels.open = true;
    labels
}
