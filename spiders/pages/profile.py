"""One person's own page: the main heading (or the title) is a name."""

from __future__ import annotations

import re

from spiders.pages.anchors import Anchor, chrome_spans, inside
from spiders.pages.blocks import Block, Builder, likeness
from spiders.pages.document import Document, Line, Node
from spiders.pages.names import Name, matches, read_name
from spiders.pages.pictures import Picture
from spiders.pages.roles import role_class


def profile_block(builder: Builder) -> Block | None:
    """Give the person whose page this is, or None where the main heading names nobody."""
    document, pictures = builder.document, builder.pictures
    line, name = _heading(builder)
    if line is None or name is None:
        return None
    main = _main(line)
    picture = _portrait(document, pictures, line, name, main)
    block = Block(
        Anchor(line, name, line.start, line.end, 1.0, ("profile",), True),
        line.start,
        main.end,
        picture,
        format="profile",
    )
    if picture is None and not _has_role(document, block):
        return None
    return block


def _heading(builder: Builder) -> tuple[Line | None, Name | None]:
    """Find the name: the first h1 that is one; else a heading that title or address repeat."""
    for level in (("h1",), ("h2", "h3", "strong", "b")):
        for line in builder.document.lines:
            if line.runs[0].node.within(*level) is None or len(line.text) > 160:
                continue
            strict = read_name(line.text)
            name = strict or read_name(line.text, is_lenient=True)
            if name is None or (name.rest and role_class(name.rest) is None):
                continue
            is_main = level == ("h1",) and (strict is not None or _is_portrayed(builder, name))
            if is_main or is_called_after(builder, name):
                return line, name
    return None, None


def _is_portrayed(builder: Builder, name: Name) -> bool:
    """Say whether a picture's alt text bears the whole name."""
    words = len(set(name.key.split()))
    return any(matches(name, picture.alt) >= words for picture in builder.pictures if not picture.is_decoy)


def is_called_after(builder: Builder, name: Name) -> bool:
    """Say whether title or address call the page after a person: one with lists of works, not of people."""
    slug = builder.document.url.rstrip("/").rpartition("/")[2]
    return matches(name, builder.document.title) >= 2 or matches(name, slug) >= 2


def _main(line: Line) -> Node:
    """Give the element of the page's content that the heading stands in."""
    best = line.box
    for node in line.box.ancestors():
        if node.tag in ("body", "html", "[document]"):
            return best if best.tag == "main" else node
        best = node
        if node.tag == "main":
            return node
    return best


def _portrait(document: Document, pictures: list[Picture], line: Line, name: Name, main: Node) -> Picture | None:
    chrome = chrome_spans(document, line.start)
    ranked = []
    for picture in pictures:
        if not main.holds(picture.position) or inside(chrome, picture.position):
            continue
        rank = likeness(name, picture)
        said = matches(name, picture.alt) + matches(name, picture.words)
        distance = len(document.lines_in(*sorted((line.start, picture.position))))
        if rank > 0 and (said or distance <= 15):
            ranked.append((rank - 0.02 * distance, -picture.position, picture))
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _has_role(document: Document, block: Block) -> bool:
    lines = document.lines_in(block.anchor.end, block.end)[:12]
    return any(len(line.text) < 120 and (role_class(line.text) or re.search(r"@|\d{3}", line.text)) for line in lines)
