//! What depends on what: a `DROP` without CASCADE fails while something is left that needs its object.
//! Only what is certain is kept; the rest is left to the server.

use super::Catalog;
use super::name::Path;
use super::object::{Look, Object, Place, Sort};
use super::relation::Key;

/// What something depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum On {
    Relation(Key),
    Column(Key, String),
    Type(String, String),
    Function(String, String),
}

/// What depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum User {
    /// A constraint of a table.
    ForeignKey(Key, String),
    View(Key),
    /// A column of a table, by its type.
    Column(Key, String),
    Trigger(Key, String),
    Policy(Key, String),
    Function(Key),
}

/// That something depends on another. Both are known by the statements that made them, because their
/// names can be given to others later.
#[derive(Debug, Clone)]
pub(super) struct Dependence {
    of: u32,
    user: User,
    stamp: u32,
}

/// What a part of a statement names.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) certain: Vec<On>,
    pub(super) names: Vec<String>,
}

impl User {
    fn describe(&self) -> String {
        match self {
            User::ForeignKey(table, name) => {
                format!("constraint `{name}` of table `{}`", table.name)
            }
            User::View(view) => format!("view `{}`", view.name),
            User::Column(table, name) => format!("column `{name}` of table `{}`", table.name),
            User::Trigger(table, name) => format!("trigger `{name}` of table `{}`", table.name),
            User::Policy(table, name) => format!("policy `{name}` of table `{}`", table.name),
            User::Function(function) => format!("function `{}`", function.name),
        }
    }

    /// The relation that it is, or that it hangs on.
    pub(super) fn relation(&self) -> &Key {
        match self {
            User::ForeignKey(key, _)
            | User::View(key)
            | User::Column(key, _)
            | User::Trigger(key, _)
            | User::Policy(key, _)
            | User::Function(key) => key,
        }
    }
}

impl Catalog {
    /// Notes that what this statement makes depends on something.
    pub(super) fn depend(&mut self, on: On, user: User) {
        if self.perhaps {
            return;
        }
        let Some(of) = self.stamp_of(&on) else { return };
        let dependence = Dependence { of, user, stamp: self.stamp };
        self.dependences.entry(on).or_default().push(dependence);
    }

    /// The result of `read`, and what it names.
    pub(super) fn reading<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> (T, Reads) {
        let before = self.reads.replace(Reads::default());
        let done = read(self);
        let reads = std::mem::replace(&mut self.reads, before).unwrap_or_default();
        (done, reads)
    }

    /// Notes that what this statement makes depends on all of these.
    pub(super) fn depend_all(&mut self, reads: Reads, user: &User) {
        for name in reads.names {
            self.naming.note(name, user);
        }
        for on in reads.certain {
            self.depend(on, user.clone());
        }
    }

    /// Notes that the part of a statement that is being read depends on something.
    pub(super) fn note(&mut self, on: impl FnOnce() -> On) {
        if let Some(reads) = &mut self.reads {
            reads.certain.push(on());
        }
    }

    /// Notes that it names something, whether that is known or not; `None` for a name that is only known
    /// when it runs.
    pub(super) fn note_name(&mut self, name: Option<&str>) {
        if let Some(reads) = &mut self.reads {
            let name = name.unwrap_or_default();
            if !reads.names.iter().any(|known| known == name) {
                reads.names.push(name.to_owned());
            }
        }
    }

    /// The number of the statement that made what something depends on, if it is certainly there.
    fn stamp_of(&self, on: &On) -> Option<u32> {
        match on {
            On::Relation(key) => {
                let found = self.look_in(key) == Look::Found(());
                self.relation(key).filter(|_| found).map(|relation| relation.made.stamp)
            }
            On::Column(key, name) => self.column_stamp(key, name),
            On::Type(schema, name) => {
                let schema = self.schemas.objects.get(schema)?;
                found(schema.types.look(name, &self.blurs)).map(|one| one.made().stamp)
            }
            On::Function(schema, name) => {
                let schema = self.schemas.objects.get(schema)?;
                let routine = found(schema.routines.look(name, &self.blurs))?;
                routine.is_single().then_some(routine.made().stamp)
            }
        }
    }

    fn column_stamp(&self, key: &Key, name: &str) -> Option<u32> {
        let relation = self.relation(key).filter(|_| self.look_in(key) == Look::Found(()))?;
        found(relation.columns.look(name, &self.blurs)).map(|column| column.made.stamp)
    }

    /// What certainly depends on something, each with the place where it was made.
    pub(super) fn users(&self, on: &On) -> impl Iterator<Item = (&User, Place)> {
        let of = self.stamp_of(on);
        let all = self.dependences.get(on).into_iter().flatten();
        all.filter(move |one| Some(one.of) == of).filter_map(|one| {
            let place = self.place_of_user(&one.user, one.stamp)?;
            Some((&one.user, place))
        })
    }

    /// The views that certainly read a relation, or a column of it.
    pub(super) fn views_of(&self, key: &Key, column: Option<&str>) -> Vec<Key> {
        let on = match column {
            Some(column) => On::Column(key.clone(), column.to_owned()),
            None => On::Relation(key.clone()),
        };
        let view = |(user, _): (&User, Place)| match user {
            User::View(view) => Some(view.clone()),
            _ => None,
        };
        self.users(&on).filter_map(view).collect()
    }

    /// What depends on a column that has another name depends on it under that.
    pub(super) fn rename_needed(&mut self, key: &Key, from: &str, to: &str, stamp: u32) {
        let Some(mut all) = self.dependences.remove(&On::Column(key.clone(), from.to_owned()))
        else {
            return;
        };
        all.retain(|one| one.of == stamp);
        for one in &mut all {
            one.of = self.stamp;
        }
        self.dependences.insert(On::Column(key.clone(), to.to_owned()), all);
    }

    /// Where what depends on something was made, if it is certainly that of statement `stamp`.
    fn place_of_user(&self, user: &User, stamp: u32) -> Option<Place> {
        let key = user.relation();
        if let User::Function(key) = user {
            let schema = self.schemas.objects.get(&key.schema)?;
            let routine = found(schema.routines.look(&key.name, &self.blurs))?;
            let made =
                Some(*routine.made()).filter(|made| routine.is_single() && made.stamp == stamp);
            return made?.place;
        }
        let relation = self.relation(key).filter(|_| self.look_in(key) == Look::Found(()))?;
        let made = match user {
            User::View(_) | User::Function(_) => Some(relation.made),
            User::ForeignKey(_, name) => {
                let known = self.blurs.of_drops(Sort::ForeignKey) <= stamp;
                found(relation.constraints.look(name, &self.blurs))
                    .filter(|_| known)
                    .map(|one| one.made)
            }
            User::Column(_, name) => {
                found(relation.columns.look(name, &self.blurs)).map(|c| c.made)
            }
            User::Trigger(_, name) => found(relation.triggers.look(name, &self.blurs)).copied(),
            User::Policy(_, name) => found(relation.policies.look(name, &self.blurs)).copied(),
        };
        made.filter(|made| made.stamp == stamp)?.place
    }

    /// Reports a `DROP` without CASCADE of something that is needed.
    pub(super) fn refuse_drop(&mut self, sort: Sort, on: &On, path: &Path, dropped: &[Key]) {
        let mut users = self.users(on).filter(|(user, _)| !dropped.contains(user.relation()));
        let Some((user, place)) = users.next() else { return };
        let needs = user.describe();
        drop(users);
        self.needed(sort, path, &needs, place);
    }
}

fn found<T>(look: Look<T>) -> Option<T> {
    match look {
        Look::Found(found) => Some(found),
        _ => None,
    }
}
