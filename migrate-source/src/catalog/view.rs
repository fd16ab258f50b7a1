//! Views, materialized or not.

use super::Catalog;
use super::depend::{Reads, User};
use super::name::Path;
use super::object::{Look, Object, Sort};
use super::query::{Columns, Scope};
use super::relation::Key;
use super::scope::TEMPORARY;
use super::table::is_temporary;
use crate::syntax::tree::{At, Kind};

impl Catalog {
    pub(super) fn create_view(&mut self, at: At<'_>, query: Option<At<'_>>) {
        let Some(path) = at.child(Kind::VIEW).and_then(Path::of) else {
            return self.blur_relations();
        };
        let mut scope = Scope::default();
        if at.tokens().iter().any(|token| token.kind == Kind::RECURSIVE_KW) {
            scope.tables.push((path.name.clone(), Columns::Open));
        }
        let (columns, reads) = self
            .reading(|catalog| query.map(|query| catalog.query(query, &scope)).unwrap_or_default());
        let columns = columns.renamed(at.child(Kind::COLUMN_LIST));
        // The view of a temporary table is temporary, too; of what is perhaps one, it is in either schema.
        let Some(temporary) =
            is_temporary(at).then_some(true).or_else(|| self.has_temporary(&reads))
        else {
            return self.blur_relations();
        };
        // It replaces only what is in the schema in which it would make one.
        let target = if temporary { Some(TEMPORARY.to_owned()) } else { self.target(&path) };
        let meant = Path { qualifier: target, ..path.clone() };
        let replaced = at.has(Kind::OR_REPLACE).then(|| self.look_relation(&meant));
        if let Some(Look::Found(key) | Look::Perhaps(key)) = replaced {
            // Its columns are those of before, and more.
            let (made, sure) = (self.made(Sort::View, &path.span), !self.perhaps);
            self.set_columns(&key, columns, &path.span);
            self.define_relation(Some(&key), at, Kind::VIEW);
            if let Some(view) = self.relation_mut(&key) {
                view.made_mut().sure |= sure;
                view.made_mut().stamp = made.stamp;
            }
            return self.depend_all(reads, User::whole(Sort::View, key));
        }
        if let Some(key) = self.make(at, Sort::View, &path, temporary) {
            self.set_columns(&key, columns, &path.span);
            self.define_relation(Some(&key), at, Kind::VIEW);
            self.depend_all(reads, User::whole(Sort::View, key));
        }
    }

    /// Whether a query reads a temporary relation; `None` if it perhaps does.
    fn has_temporary(&self, reads: &Reads) -> Option<bool> {
        let is_temporary = |key: &&Key| key.schema == TEMPORARY;
        let certain = || reads.relations().filter(|key| self.look_in(key) == Look::Found(()));
        if reads.relations().any(|key| is_temporary(&key)) {
            return certain().any(|key| is_temporary(&key)).then_some(true);
        }
        let is_perhaps = |name: &String| {
            let key = Key { schema: TEMPORARY.to_owned(), name: name.clone() };
            self.relation(&key).is_some() && !certain().any(|key| key.name == *name)
        };
        (!reads.names.iter().any(is_perhaps)).then_some(false)
    }

    pub(super) fn alter_view(&mut self, at: At<'_>) {
        let Some(path) = at.child(Kind::VIEW_REF).and_then(Path::of) else {
            return self.blur_relations();
        };
        let key = self.refer(Sort::View, &path, at.has(Kind::IF_EXISTS));
        self.alter_relation(at, key, &path);
    }
}
