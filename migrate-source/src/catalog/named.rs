//! A map by names for unoptimised code, in which the standard map is as slow as all that is generic: a lookup takes a
//! third of its instructions (280 instead of 800), an insertion half.

/// So many names are compared one by one.
const FEW: usize = 8;

/// Objects by their names.
#[derive(Debug, Clone)]
pub(super) struct Named<T> {
    /// In the order in which their names came first; without the object if it was removed.
    entries: Vec<(String, Option<T>)>,
    /// The entries by the hashes of their names, as one more than the index; 0 for none. At least twice as many as
    /// entries, and a power of two; none for few entries.
    slots: Vec<usize>,
    /// How many entries have an object.
    len: usize,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named { entries: Vec::new(), slots: Vec::new(), len: 0 }
    }
}

/// Where a name is, or can be put.
enum Place {
    Entry(usize),
    Slot(usize),
    /// There are no slots.
    Nowhere,
}

impl<T> Named<T> {
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        match self.place(name) {
            Place::Entry(index) => self.entries[index].1.as_ref(),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        match self.place(name) {
            Place::Entry(index) => self.entries[index].1.as_mut(),
            _ => None,
        }
    }

    pub(super) fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Puts an object in, in the place of another of its name.
    pub(super) fn insert(&mut self, name: String, object: T) {
        match self.place(&name) {
            Place::Entry(index) => {
                self.len += usize::from(self.entries[index].1.is_none());
                self.entries[index].1 = Some(object);
            }
            place => {
                self.push((name, Some(object)), &place);
                self.len += 1;
            }
        }
    }

    /// The object of this name; puts a new one in if there is none.
    pub(super) fn get_or_insert_with(&mut self, name: &str, new: impl FnOnce() -> T) -> &mut T {
        let index = match self.place(name) {
            Place::Entry(index) => index,
            place => self.push((name.to_owned(), None), &place),
        };
        let object = &mut self.entries[index].1;
        self.len += usize::from(object.is_none());
        object.get_or_insert_with(new)
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<T> {
        let Place::Entry(index) = self.place(name) else { return None };
        let removed = self.entries[index].1.take()?;
        self.len -= 1;
        // Rarely enough that it costs as much as putting them in did.
        if self.len + FEW < self.entries.len() / 2 {
            self.retain(|_| true);
        }
        Some(removed)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.entries.retain(|(_, object)| object.as_ref().is_some_and(&keep));
        self.len = self.entries.len();
        self.index();
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.entries.iter().filter_map(|(name, object)| Some((name, object.as_ref()?)))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        self.iter().map(|(name, _)| name)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter_map(|(_, object)| object.as_ref())
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().filter_map(|(_, object)| object.as_mut())
    }

    /// Adds an entry whose name has none, and which belongs in this place; returns its index.
    fn push(&mut self, entry: (String, Option<T>), place: &Place) -> usize {
        let index = self.entries.len();
        self.entries.push(entry);
        if let Place::Slot(slot) = place {
            self.slots[*slot] = index + 1;
        }
        if index >= FEW && self.entries.len() * 2 > self.slots.len() {
            self.index();
        }
        index
    }

    fn place(&self, name: &str) -> Place {
        let (entries, slots) = (self.entries.as_slice(), self.slots.as_slice());
        if slots.is_empty() {
            let mut index = 0;
            while index < entries.len() {
                if is(&entries[index].0, name) {
                    return Place::Entry(index);
                }
                index += 1;
            }
            return Place::Nowhere;
        }
        let mut slot = hash(name) & (slots.len() - 1);
        while slots[slot] != 0 {
            let index = slots[slot] - 1;
            if is(&entries[index].0, name) {
                return Place::Entry(index);
            }
            slot = (slot + 1) & (slots.len() - 1);
        }
        Place::Slot(slot)
    }

    /// Makes the slots anew, with room for as many entries again.
    fn index(&mut self) {
        self.slots.clear();
        if self.entries.len() <= FEW {
            return;
        }
        let count = (self.entries.len() * 4).next_power_of_two();
        self.slots.resize(count, 0);
        for (index, (name, _)) in self.entries.iter().enumerate() {
            let mut slot = hash(name) & (count - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (count - 1);
            }
            self.slots[slot] = index + 1;
        }
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(all: I) -> Self {
        let mut named = Named::default();
        all.into_iter().for_each(|(name, object)| named.insert(name, object));
        named
    }
}

fn is(known: &str, name: &str) -> bool {
    known.len() == name.len() && known == name
}

/// Eight bytes at once are multiplied into what is there, of which the high half is good at the end.
fn hash(name: &str) -> usize {
    let (mut rest, mut hash) = (name.as_bytes(), 0_u64);
    while let Some((eight, after)) = rest.split_first_chunk() {
        hash = (hash ^ u64::from_le_bytes(*eight)).wrapping_mul(FACTOR);
        hash ^= hash >> 32;
        rest = after;
    }
    let (mut last, mut at) = (1, 0);
    while at < rest.len() {
        last = (last << 8) | u64::from(rest[at]);
        at += 1;
    }
    usize::try_from((hash ^ last).wrapping_mul(FACTOR) >> 32).unwrap_or_default()
}

/// An odd number without a pattern in its bits: the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::{FEW, Named, hash};

    /// Does the same to both kinds of map, and compares them after each step.
    fn check(names: impl Iterator<Item = String>, is_removed: impl Fn(usize) -> bool) {
        let (mut map, mut expected) = (Named::default(), HashMap::new());
        for (number, name) in names.enumerate() {
            if is_removed(number) {
                assert_eq!(map.remove(&name), expected.remove(&name), "{name}");
            } else if number % 3 == 0 {
                let one = *map.get_or_insert_with(&name, || number);
                assert_eq!(one, *expected.entry(name.clone()).or_insert(number), "{name}");
            } else {
                map.insert(name.clone(), number);
                expected.insert(name.clone(), number);
            }
            assert_eq!(map.get(&name), expected.get(&name), "{name}");
            assert_eq!(map.len(), expected.len(), "{name}");
        }
        assert_eq!(map.iter().collect::<HashMap<_, _>>(), expected.iter().collect());
        assert!(expected.iter().all(|(name, number)| map.get(name) == Some(number)));
        map.retain(|number| number % 2 == 0);
        expected.retain(|_, number| *number % 2 == 0);
        assert_eq!(map.iter().collect::<HashMap<_, _>>(), expected.iter().collect());
        assert!(expected.iter().all(|(name, number)| map.get(name) == Some(number)));
    }

    #[test]
    fn it_is_a_map() {
        for count in [0, 1, FEW, FEW + 1, 300] {
            let twice = || (0..count).chain(0..count).map(|number| format!("table_{number}"));
            check(twice(), |_| false);
            check(twice(), |number| number >= count);
            check(twice(), |number| number % 5 == 4);
            check((0..count).flat_map(|one| [one, one]).map(|n| n.to_string()), |n| n % 2 == 1);
        }
    }

    #[test]
    fn names_that_differ_anywhere_have_other_hashes() {
        let long = "a_name_of_a_table_that_is_long";
        for at in 0..long.len() {
            let mut other = long.to_owned();
            other.replace_range(at..=at, "0");
            assert_ne!(hash(long), hash(&other), "{other}");
        }
        assert_ne!(hash("a"), hash("a\0"));
        assert_ne!(hash(""), hash("\0"));
        let hashes: HashSet<usize> =
            (0..10_000).map(|number| hash(&format!("t_{number}")) & 0x7fff).collect();
        assert!(hashes.len() > 8_000, "{}", hashes.len());
    }
}
