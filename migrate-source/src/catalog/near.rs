//! The name that a misspelt one is probably meant to be.

use super::object::{Object, Place};
use super::quick::Map;
use crate::directives::edit_distance;

/// A name that can be meant, and where it was made.
pub(super) type Near = (String, Option<Place>);

/// The nearest of the names that were offered.
pub(super) struct Nearest<'w> {
    wanted: &'w str,
    /// How many edits apart it can be.
    most: usize,
    best: Option<(usize, Near)>,
}

impl<'w> Nearest<'w> {
    pub(super) fn to(wanted: &'w str) -> Self {
        let most = match wanted.len() {
            0..=2 => 0,
            3..=5 => 1,
            _ => 2,
        };
        Nearest { wanted, most, best: None }
    }

    pub(super) fn offer(&mut self, name: &str, place: Option<Place>) {
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

    pub(super) fn offer_all<T: Object>(&mut self, objects: &Map<String, T>) {
        // What is only known from a use may be as misspelt.
        let known = objects.iter().filter(|(_, one)| one.made().place.is_some() || one.made().sure);
        for (name, object) in known {
            self.offer(name, object.made().place);
        }
    }

    pub(super) fn found(self) -> Option<Near> {
        self.best.map(|(_, near)| near)
    }
}
