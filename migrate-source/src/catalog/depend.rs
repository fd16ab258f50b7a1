//! What depends on what: a `DROP` without CASCADE fails while something is left that needs its object.
//! Only what is certain is kept; the rest is left to the server.

use std::rc::Rc;

use super::Catalog;
use super::name::Path;
use super::object::{Look, Made, Names, Place, Sort};
use super::relation::Key;

/// What something depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum On {
    Relation(Key),
    Column(Key, String),
    Type(String, String),
    Function(String, String),
}

/// What depends on it: a view, a function, or what hangs on a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) sort: Sort,
    /// The view, the function, or the table.
    pub(super) key: Key,
    /// The name of what hangs on the table: a constraint, a column by its type, a trigger or a policy.
    pub(super) part: Option<String>,
}

/// That something depends on another. Both are known by the statements that made them, because their
/// names can be given to others later.
#[derive(Debug, Clone)]
pub(super) struct Dependence {
    of: u32,
    user: Rc<User>,
    stamp: u32,
}

/// What a part of a statement names.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) certain: Vec<On>,
    pub(super) names: Vec<String>,
}

impl Reads {
    /// The relations among them.
    pub(super) fn relations(&self) -> impl Iterator<Item = &Key> {
        self.certain.iter().filter_map(|on| match on {
            On::Relation(key) => Some(key),
            On::Column(..) | On::Type(..) | On::Function(..) => None,
        })
    }
}

impl User {
    pub(super) fn whole(sort: Sort, key: Key) -> User {
        User { sort, key, part: None }
    }

    pub(super) fn part(sort: Sort, key: &Key, name: impl Into<String>) -> User {
        User { sort, key: key.clone(), part: Some(name.into()) }
    }

    fn describe(&self) -> String {
        let (word, key) = (self.sort.word(), &self.key.name);
        match &self.part {
            Some(name) => format!("{word} `{name}` of table `{key}`"),
            None => format!("{word} `{key}`"),
        }
    }
}

impl Catalog {
    /// Notes that what this statement makes depends on something.
    pub(super) fn depend(&mut self, on: On, user: Rc<User>) {
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
    pub(super) fn depend_all(&mut self, reads: Reads, user: User) {
        let user = Rc::new(user);
        for name in &reads.names {
            self.naming.note(name, &user);
        }
        for on in reads.certain {
            self.depend(on, Rc::clone(&user));
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
                schema.types.found(name, &self.blurs).map(|made| made.stamp)
            }
            On::Function(schema, name) => self.single(schema, name).map(|made| made.stamp),
        }
    }

    /// The only function of a name, if it is certainly there.
    fn single(&self, schema: &str, name: &str) -> Option<Made> {
        let routines = &self.schemas.objects.get(schema)?.routines;
        let made = routines.found(name, &self.blurs)?;
        routines.objects.get(name)?.is_single().then_some(made)
    }

    fn column_stamp(&self, key: &Key, name: &str) -> Option<u32> {
        let relation = self.relation(key).filter(|_| self.look_in(key) == Look::Found(()))?;
        relation.columns.found(name, &self.blurs).map(|made| made.stamp)
    }

    /// What certainly depends on something, each with the place where it was made.
    pub(super) fn users(&self, on: &On) -> impl Iterator<Item = (&User, Place)> {
        let of = self.stamp_of(on);
        let all = self.dependences.get(on).into_iter().flatten();
        all.filter(move |one| Some(one.of) == of).filter_map(|one| {
            let place = self.place_of_user(&one.user, one.stamp)?;
            Some((&*one.user, place))
        })
    }

    /// The views that certainly read a relation, or a column of it.
    pub(super) fn views_of(&self, key: &Key, column: Option<&str>) -> Vec<Key> {
        let on = match column {
            Some(column) => On::Column(key.clone(), column.to_owned()),
            None => On::Relation(key.clone()),
        };
        let views = self.users(&on).filter(|(user, _)| user.sort == Sort::View);
        views.map(|(user, _)| user.key.clone()).collect()
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
        let key = &user.key;
        let made = if user.sort == Sort::Function {
            self.single(&key.schema, &key.name)?
        } else {
            let relation = self.relation(key).filter(|_| self.look_in(key) == Look::Found(()))?;
            let is_known =
                user.sort != Sort::ForeignKey || self.blurs.of_drops(Sort::ForeignKey) <= stamp;
            match &user.part {
                None => relation.made,
                Some(name) if is_known => relation.part(user.sort).found(name, &self.blurs)?,
                Some(_) => return None,
            }
        };
        if made.stamp == stamp { made.place } else { None }
    }

    /// Reports a `DROP` without CASCADE of something that is needed.
    pub(super) fn refuse_drop(&mut self, sort: Sort, on: &On, path: &Path, dropped: &[Key]) {
        let mut users = self.users(on).filter(|(user, _)| !dropped.contains(&user.key));
        let Some((user, place)) = users.next() else { return };
        let needs = user.describe();
        drop(users);
        self.needed(sort, path, &needs, place);
    }
}
