//! Sorts lists of any type by one compiled sort of their indexes. The standard library's sort is compiled again for each
//! type and comparison, which was an eighth of what the compiler generated for an unoptimised build.

use std::cmp::Ordering;

/// Sorts as [`slice::sort_by`] does.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|one, other| compare(&items[one], &items[other]));
    arrange(order, &mut |one, other| items.swap(one, other));
}

/// Sorts as [`slice::sort_by_key`] does.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// The different items in order.
pub fn distinct<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    sort_by(&mut items, Ord::cmp);
    items.dedup();
    items
}

/// The indexes of so many items in the order of the items, which is that of the indexes for equal ones.
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    order
}

/// Brings items, which are in the order of their indexes, into this order, one circle of swaps after another.
fn arrange(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for first in 0..order.len() {
        let mut place = first;
        while order[place] != first {
            let from = std::mem::replace(&mut order[place], place);
            swap(place, from);
            place = from;
        }
        order[place] = place;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_a_stable_sort(numbers in prop::collection::vec(0_u8..8, 0..40)) {
            let mut items: Vec<(u8, usize)> = numbers.iter().copied().zip(0..).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(number, _)| *number);
            sort_by_key(&mut items, |(number, _)| *number);
            prop_assert_eq!(items, expected);
        }

        #[test]
        fn what_is_distinct_is_a_set(numbers in prop::collection::vec(0_u8..8, 0..40)) {
            let expected: std::collections::BTreeSet<u8> = numbers.iter().copied().collect();
            prop_assert_eq!(distinct(numbers), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
