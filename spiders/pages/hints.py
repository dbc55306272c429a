"""CSS selectors of a source that override single steps of the general reading."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, fields

import soupsieve

from catalog.errors import UsageError
from spiders.pages.anchors import find_anchors
from spiders.pages.blocks import Block, Builder, blocks_of
from spiders.pages.document import Document, Node
from spiders.pages.markup import anchor_at


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffHints:
    """CSS selectors that override single steps where the general reading fails.

    Each stands alone: `role` alone keeps the blocks, names and portraits that were found and takes of each block the
    first element that it selects.

    Raises:
        UsageError: a selector that cannot be read.
    """

    block: str | None = None
    """Elements that each show one person."""
    name: str | None = None
    """The name; its text is taken as it stands, titles removed."""
    title: str | None = None
    role: str | None = None
    image: str | None = None
    """An img, or an element with a background."""
    profile: str | None = None
    """A link."""

    def __post_init__(self) -> None:
        for each in fields(self):
            selector = getattr(self, each.name)
            try:
                soupsieve.compile(selector or "*")
            except (soupsieve.SelectorSyntaxError, TypeError) as error:
                raise UsageError(f"hint {each.name}: expected a CSS selector, found {selector!r}: {error}") from error


class Selected:
    """What the hints of a source select on one page."""

    def __init__(self, document: Document, hints: StaffHints) -> None:
        """Run every selector once.

        Args:
            document: the page.
            hints: the source's selectors.
        """
        given = {each.name: selector for each in fields(hints) if (selector := getattr(hints, each.name))}
        self.nodes = {name: document.select(selector) for name, selector in given.items()}

    def has(self, field: str) -> bool:
        """Say whether the source has this hint."""
        return field in self.nodes

    def first(self, field: str, block: Block) -> Node | None:
        """Give the first element of a block that a hint selects."""
        found = self.nodes.get(field, [])
        at = bisect_left(found, block.start, key=lambda node: node.start)
        return found[at] if at < len(found) and found[at].start < block.end else None


def hinted_blocks(builder: Builder, selected: Selected) -> list[Block] | None:
    """Give the blocks that `block` and `name` select, or None where neither is given."""
    document = builder.document
    if not selected.has("block") and not selected.has("name"):
        return None
    if selected.has("name"):
        made = [anchor_at(document, node, is_trusted=True) for node in selected.nodes["name"]]
        anchors = [anchor for anchor in made if anchor is not None]
    else:
        anchors = find_anchors(document)
    if not selected.has("block"):
        return blocks_of(builder, anchors)
    found = []
    for node in selected.nodes["block"]:
        at = bisect_left(anchors, node.start, key=lambda anchor: anchor.start)
        if at < len(anchors) and anchors[at].start < node.end:
            picture = builder.best(anchors[at].name, builder.within(node.start, node.end))
            found.append(Block(anchors[at], node.start, node.end, picture))
    return found
