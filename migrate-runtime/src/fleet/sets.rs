//! One set or several, in the order in which they run.

use std::slice;

use migrate_set::set::Migrations;

use crate::migrator::Migrator;

/// Sets in the order in which they run, each with its options: a `&Migrations`, a [`Migrator`], or an array
/// of them. The databases of tests and the command line accept it.
///
/// ```
/// use migrate_runtime::set::Sets;
/// use migrate_runtime::{Migrations, Migrator};
///
/// fn boot<'s>(auth: &'s Migrations, app: &'s Migrations) -> Sets<'s> {
///     Sets::from([auth, app]) // those of a library come first
/// }
///
/// fn with_options<'s>(auth: &'s Migrations, app: &'s Migrations) -> Sets<'s> {
///     [Migrator::new(auth), Migrator::new(app).schema("app")].into()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Sets<'s>(Vec<Migrator<'s>>);

impl<'s> Sets<'s> {
    /// The migrator of each set.
    pub fn iter(&self) -> slice::Iter<'_, Migrator<'s>> {
        self.0.iter()
    }
}

impl<'s> From<Migrator<'s>> for Sets<'s> {
    fn from(migrator: Migrator<'s>) -> Self {
        Sets(vec![migrator])
    }
}

impl<'s> From<&Migrator<'s>> for Sets<'s> {
    fn from(migrator: &Migrator<'s>) -> Self {
        migrator.clone().into()
    }
}

impl<'s> From<&'s Migrations> for Sets<'s> {
    fn from(set: &'s Migrations) -> Self {
        Migrator::new(set).into()
    }
}

impl<'s, M: Into<Migrator<'s>>, const N: usize> From<[M; N]> for Sets<'s> {
    fn from(migrators: [M; N]) -> Self {
        migrators.into_iter().collect()
    }
}

impl<'s, M: Into<Migrator<'s>>> FromIterator<M> for Sets<'s> {
    fn from_iter<I: IntoIterator<Item = M>>(migrators: I) -> Self {
        Sets(migrators.into_iter().map(Into::into).collect())
    }
}

impl<'s> IntoIterator for Sets<'s> {
    type Item = Migrator<'s>;
    type IntoIter = std::vec::IntoIter<Migrator<'s>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, 's> IntoIterator for &'a Sets<'s> {
    type Item = &'a Migrator<'s>;
    type IntoIter = slice::Iter<'a, Migrator<'s>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
