//! The order in which objects are made: what an object needs comes before it, and otherwise kind and name decide.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::sort::distinct;

/// What decides between objects that can be made: the place of its kind and its name; before that, those of its
/// table.
pub(super) type Key = (usize, String, usize, String);

/// How firmly an object needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Firmness {
    /// The body of a function names it, and the server looks only when the function is called.
    Named,
    /// A part of the object needs it, which can be made later: a default or a check.
    Part(usize),
    /// The body of an SQL function names it, which the server looks up at once.
    Body,
    /// It cannot be made without.
    Whole,
}

impl Firmness {
    fn rank(self) -> usize {
        match self {
            Firmness::Named => 0,
            Firmness::Part(_) => 1,
            Firmness::Body => 2,
            Firmness::Whole => 3,
        }
    }
}

/// An object, and the indexes of what it needs, one possibly several times.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: Key,
    pub(super) needs: Vec<(usize, Firmness)>,
}

/// What is made next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The object, without these parts.
    Object(usize, Vec<usize>),
    /// A part that the object was made without.
    Part(usize, usize),
}

/// All objects in order. In a circle, the least firm need is ignored.
pub(super) fn order(nodes: &[Node]) -> Vec<Step> {
    let mut waits: Vec<usize> = nodes.iter().map(|node| node.needs.len()).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for (of, _) in &node.needs {
            users[*of].push(index);
        }
    }
    let free = (0..nodes.len()).filter(|index| waits[*index] == 0);
    let first = |index: usize| Reverse((&nodes[index].key, index));
    let mut ready: BinaryHeap<Reverse<(&Key, usize)>> = free.map(first).collect();
    let mut is_made = vec![false; nodes.len()];
    let mut later: Vec<(usize, usize)> = Vec::new();
    let mut steps = Vec::new();
    while let Some(next) =
        ready.pop().map(|Reverse((_, index))| index).or_else(|| least_bound(nodes, &is_made))
    {
        is_made[next] = true;
        let without = missing_parts(&nodes[next], &is_made);
        later.extend(without.iter().map(|part| (next, *part)));
        steps.push(Step::Object(next, without));
        later.retain(|(index, part)| {
            let is_missing = missing_parts(&nodes[*index], &is_made).contains(part);
            if !is_missing {
                steps.push(Step::Part(*index, *part));
            }
            is_missing
        });
        for user in &users[next] {
            waits[*user] -= 1;
            if waits[*user] == 0 && !is_made[*user] {
                ready.push(first(*user));
            }
        }
    }
    steps
}

fn missing_parts(node: &Node, is_made: &[bool]) -> Vec<usize> {
    let part = |(of, firmness): &(usize, Firmness)| match firmness {
        Firmness::Part(part) if !is_made[*of] => Some(*part),
        _ => None,
    };
    distinct(node.needs.iter().filter_map(part))
}

/// The object whose needs that are not met are the least firm.
fn least_bound(nodes: &[Node], is_made: &[bool]) -> Option<usize> {
    let open = (0..nodes.len()).filter(|index| !is_made[*index]);
    open.min_by_key(|index| {
        let unmet = nodes[*index].needs.iter().filter(|(of, _)| !is_made[*of]);
        let firmest = unmet.map(|(_, firmness)| firmness.rank()).max();
        (firmest, &nodes[*index].key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, needs: &[(usize, Firmness)]) -> Node {
        Node { key: (0, name.to_owned(), 0, String::new()), needs: needs.to_vec() }
    }

    fn check(nodes: &[Node], expected: &[Step]) {
        assert_eq!(order(nodes), expected);
    }

    #[test]
    fn names_decide_where_nothing_is_needed() {
        let made = |index| Step::Object(index, Vec::new());
        check(&[node("b", &[]), node("a", &[])], &[made(1), made(0)]);
        check(&[node("a", &[(1, Firmness::Whole)]), node("b", &[])], &[made(1), made(0)]);
    }

    #[test]
    fn a_circle_is_broken_where_it_is_weakest() {
        use Firmness::{Body, Named, Part, Whole};
        let made = |index| Step::Object(index, Vec::new());
        // A function that names the table whose default calls it.
        let with = |firmness| [node("t", &[(1, Part(4))]), node("f", &[(0, firmness)])];
        check(&with(Named), &[made(1), made(0)]);
        check(&with(Body), &[Step::Object(0, vec![4]), made(1), Step::Part(0, 4)]);
        check(&with(Whole), &[Step::Object(0, vec![4]), made(1), Step::Part(0, 4)]);
    }
}
