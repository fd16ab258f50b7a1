//! A light tree of a statement: its nodes in order of their beginnings, and its tokens.

use std::ops::Range;

use migrate_set::location::narrow;
pub(crate) use squawk_parser::SyntaxKind as Kind;

/// A list of kinds.
macro_rules! kinds {
    ($($kind:ident),* $(,)?) => { &[$($crate::syntax::tree::Kind::$kind),*] };
}

/// A pattern for any of these kinds.
macro_rules! any_of {
    ($($kind:ident),* $(,)?) => { $($crate::syntax::tree::Kind::$kind)|* };
}

pub(crate) use {any_of, kinds};

/// A token that is neither blank nor comment. It is small, like a node, because those of a whole set are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    start: u32,
    end: u32,
}

impl Token {
    pub(super) fn new(kind: Kind, bytes: Range<usize>) -> Token {
        Token { kind, start: narrow(bytes.start), end: narrow(bytes.end) }
    }

    /// Its first byte.
    pub(crate) fn start(&self) -> usize {
        self.start as usize
    }

    /// The byte after its last one.
    pub(crate) fn end(&self) -> usize {
        self.end as usize
    }
}

/// A node; its descendants follow it.
#[derive(Debug, Clone, Copy)]
struct Node {
    kind: Kind,
    /// The number of tokens before it.
    from: u32,
    /// The number of tokens before what follows it.
    to: u32,
    /// The index of the node after its last descendant.
    end: u32,
}

/// The tree of a statement.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    pub(super) tokens: Vec<Token>,
}

impl Tree {
    /// An empty tree of a text of this length.
    pub(super) fn of_length(bytes: usize) -> Self {
        Tree { nodes: Vec::with_capacity(bytes / 8), tokens: Vec::with_capacity(bytes / 5) }
    }

    /// Begins a node, and returns its index.
    pub(super) fn enter(&mut self, kind: Kind) -> usize {
        let (index, from) = (self.nodes.len(), narrow(self.tokens.len()));
        self.nodes.push(Node { kind, from, to: from, end: narrow(index + 1) });
        index
    }

    /// Ends the node that is at `index`.
    pub(super) fn exit(&mut self, index: usize) {
        let (to, end) = (narrow(self.tokens.len()), narrow(self.nodes.len()));
        if let Some(node) = self.nodes.get_mut(index) {
            (node.to, node.end) = (to, end);
        }
    }

    /// The tree, with no more memory than it needs.
    pub(super) fn whole(mut self) -> Tree {
        self.nodes.shrink_to_fit();
        self.tokens.shrink_to_fit();
        self
    }

    /// The root, of the tree of `text`, of which the first byte is at `offset` of its file.
    pub(crate) fn root<'t>(&'t self, text: &'t str, offset: usize) -> Option<At<'t>> {
        let (nodes, tokens) = (self.nodes.as_slice(), self.tokens.as_slice());
        (!nodes.is_empty()).then_some(At { nodes, tokens, text, offset, index: 0 })
    }
}

/// A place in a tree. Its methods are the innermost loops of the catalog, and run unoptimised: they index slices and
/// call nothing.
#[derive(Clone, Copy)]
pub(crate) struct At<'t> {
    nodes: &'t [Node],
    tokens: &'t [Token],
    text: &'t str,
    offset: usize,
    /// That of a node: there is always one.
    index: usize,
}

impl<'t> At<'t> {
    pub(crate) fn kind(self) -> Kind {
        self.nodes[self.index].kind
    }

    /// The index of the node after its last descendant.
    fn end(self) -> usize {
        self.nodes[self.index].end as usize
    }

    /// Its children.
    pub(crate) fn children(self) -> Children<'t> {
        Children { of: self, next: self.index + 1, end: self.end() }
    }

    /// Its children of this kind.
    pub(crate) fn each(self, kind: Kind) -> impl Iterator<Item = At<'t>> {
        self.children().filter(move |child| child.kind() == kind)
    }

    /// Its first child of this kind.
    pub(crate) fn child(self, kind: Kind) -> Option<At<'t>> {
        let (nodes, end) = (self.nodes, self.end());
        let mut index = self.index + 1;
        while index < end {
            if nodes[index].kind as u16 == kind as u16 {
                return Some(At { index, ..self });
            }
            index = nodes[index].end as usize;
        }
        None
    }

    pub(crate) fn has(self, kind: Kind) -> bool {
        self.child(kind).is_some()
    }

    /// Itself and all nodes in it, in their order; some can be skipped with all that is in them.
    pub(crate) fn all(self) -> Walk<'t> {
        Walk { within: self, next: self.index, end: self.end() }
    }

    /// The nodes in it of this kind, and itself.
    pub(crate) fn every(self, kind: Kind) -> impl Iterator<Item = At<'t>> {
        self.all().filter(move |node| node.kind() == kind)
    }

    /// The first node in it of this kind.
    pub(crate) fn find(self, kind: Kind) -> Option<At<'t>> {
        let (nodes, end) = (self.nodes, self.end());
        let mut index = self.index;
        while index < end {
            if nodes[index].kind as u16 == kind as u16 {
                return Some(At { index, ..self });
            }
            index += 1;
        }
        None
    }

    /// Its tokens, also those of its descendants.
    pub(crate) fn tokens(self) -> &'t [Token] {
        let node = &self.nodes[self.index];
        &self.tokens[node.from as usize..node.to as usize]
    }

    /// The tokens of the statement before it.
    pub(crate) fn before(self) -> &'t [Token] {
        &self.tokens[..self.nodes[self.index].from as usize]
    }

    /// The tokens of its own, that are not of a child.
    pub(crate) fn own_tokens(self) -> impl Iterator<Item = Token> {
        let (nodes, node) = (self.nodes, &self.nodes[self.index]);
        let (mut child, mut at) = (self.index + 1, node.from);
        std::iter::from_fn(move || {
            while child < self.end() && nodes[child].from <= at {
                at = at.max(nodes[child].to);
                child = nodes[child].end as usize;
            }
            at += 1;
            (at <= node.to).then(|| self.tokens[at as usize - 1])
        })
    }

    /// Whether a token of its own is of this kind.
    pub(crate) fn says(self, kind: Kind) -> bool {
        self.own_tokens().any(|token| token.kind == kind)
    }

    /// The text of a token.
    pub(crate) fn text_of(self, token: Token) -> &'t str {
        self.text.get(token.start()..token.end()).unwrap_or_default()
    }

    /// Its bytes in the statement.
    pub(crate) fn range(self) -> Range<usize> {
        let node = &self.nodes[self.index];
        if node.from < node.to {
            self.tokens[node.from as usize].start()..self.tokens[node.to as usize - 1].end()
        } else {
            0..0
        }
    }

    /// Its bytes in the file.
    pub(crate) fn span(self) -> Range<usize> {
        let range = self.range();
        self.offset + range.start..self.offset + range.end
    }

    /// Its bytes' text.
    pub(crate) fn text(self) -> &'t str {
        self.text.get(self.range()).unwrap_or_default()
    }
}

/// The children of a node.
pub(crate) struct Children<'t> {
    of: At<'t>,
    next: usize,
    end: usize,
}

impl<'t> Iterator for Children<'t> {
    type Item = At<'t>;

    fn next(&mut self) -> Option<At<'t>> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        self.next = self.of.nodes[index].end as usize;
        Some(At { index, ..self.of })
    }
}

/// The nodes in a node, in their order.
pub(crate) struct Walk<'t> {
    within: At<'t>,
    next: usize,
    end: usize,
}

impl<'t> Walk<'t> {
    /// Skips what is in a node that was just returned.
    pub(crate) fn leave(&mut self, node: At<'t>) {
        self.next = self.next.max(node.end());
    }
}

impl<'t> Iterator for Walk<'t> {
    type Item = At<'t>;

    fn next(&mut self) -> Option<At<'t>> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        self.next += 1;
        Some(At { index, ..self.within })
    }
}

impl std::fmt::Debug for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entry(&self.kind()).entries(self.children()).finish()
    }
}
