//! The name that a misspelt one is probably meant to be.

use super::named::Named;
use super::object::{Object, Place};
use crate::directives::edit_distance;

/// A name that can be meant, and where it was made.
pub(super) type Near = (String, Option<Place>);

/// How many names of a set are compared with missing ones. After that nothing is suggested: with as many mistakes
/// as tables, each compared with each, the build would never end.
const COMPARED: usize = 300_000;

/// The nearest of the names that were offered.
pub(super) struct Nearest<'w> {
    wanted: &'w str,
    offered: usize,
    /// How many edits apart it can be.
    most: usize,
    best: Option<(usize, Near)>,
}

impl<'w> Nearest<'w> {
    /// None if so many were `compared` that no more are.
    pub(super) fn to(wanted: &'w str, compared: usize) -> Option<Self> {
        if compared >= COMPARED {
            return None;
        }
        let most = match wanted.len() {
            0..=2 => 0,
            3..=5 => 1,
            _ => 2,
        };
        Some(Nearest { wanted, offered: 0, most, best: None })
    }

    pub(super) fn offer(&mut self, name: &str, place: Option<Place>) {
        self.offered += 1;
        if name == self.wanted || name.len().abs_diff(self.wanted.len()) > self.most {
            return;
        }
        let distance = edit_distance(&name.to_lowercase(), &self.wanted.to_lowercase());
        let is_better =
            self.best.as_ref().is_none_or(|(least, (best, _))| (distance, name) < (*least, best));
        if distance <= self.most && is_better {
            self.best = Some((distance, (name.to_owned(), place)));
        }
    }

    pub(super) fn offer_all<T: Object>(&mut self, objects: &Named<T>) {
        // What is only known from a use may be as misspelt.
        let known = objects.iter().filter(|(_, one)| one.made().place.is_some() || one.made().sure);
        for (name, object) in known {
            self.offer(name, object.made().place);
        }
    }

    /// Adds the names that were offered to those that were `compared` before.
    pub(super) fn found(self, compared: &mut usize) -> Option<Near> {
        *compared += self.offered;
        self.best.map(|(_, near)| near)
    }
}

#[cfg(test)]
mod tests {
    use super::{COMPARED, Nearest};

    #[test]
    fn after_so_many_names_none_is_compared() {
        let mut compared = COMPARED - 1;
        let mut last = Nearest::to("userz", compared).unwrap();
        last.offer("users", None);
        assert_eq!(last.found(&mut compared), Some(("users".to_owned(), None)));
        assert!(Nearest::to("userz", compared).is_none());
    }
}
