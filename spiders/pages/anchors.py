"""The texts of a page that may be people's names, outside its menus and footers."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from spiders.pages.document import HEADINGS, Document, Line, Node
from spiders.pages.names import Name, fold, read_name, strength
from spiders.pages.words import word_set

MAX_ANCHORS = 5_000

_CHROME_TAGS = word_set("nav footer form button label template dialog")
_CHROME_ROLES = word_set("navigation contentinfo search menu menubar banner")
_CHROME_WORDS = re.compile(
    r"(^|[\s_-])(nav|navbar|navigation|menu|submenu|mainmenu|breadcrumbs?|footer|cookie\w*|pagination|pager"
    r"|langsel|skip)($|[\s_-])",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^(name|nom|nombre|nome|氏名|姓名|名前)\s*[:：]\s*", re.IGNORECASE)
_AND = re.compile(r"\s*(?:[,;、，]|\band\b|\bund\b|\bet\b|\by\b|&)\s*")
_VARIANT = re.compile(r"\d+|\b(odd|even|first|last|active|left|right|current|selected|clearfix|reverse|alt)\b")


@dataclass(slots=True, eq=False)
class Anchor:
    """A text that may be a person's name."""

    line: Line
    name: Name
    start: int
    end: int
    shape: float
    """How sure its form makes us, in [0, 1]."""
    signature: tuple[str, ...]
    emphasis: bool
    """It is a heading, bold, or a link."""
    is_doubtful: bool = False
    """A common word stands in it: a name only among names, and where something else on the page bears it."""


def find_anchors(document: Document) -> list[Anchor]:
    """Give every line that is, or begins with, a name, outside menus and footers."""
    chrome = chrome_spans(document)
    anchors: list[Anchor] = []
    counts: Counter[int] = Counter()
    for line in document.lines:
        counts[id(line.box)] += 1
        if len(anchors) < MAX_ANCHORS and not inside(chrome, line.start):
            anchor = _anchor(line, counts[id(line.box)] - 1)
            if anchor is not None:
                anchors.append(anchor)
    return anchors


def is_chrome(node: Node) -> bool:
    """Say whether an element is the page's frame: menu, footer, search, language switch."""
    if node.tag in _CHROME_TAGS or node.get("role") in _CHROME_ROLES:
        return True
    if node.tag == "header":
        return not any(outer.tag in ("article", "section", "main", "li", "figure") for outer in node.ancestors())
    if node.tag not in ("div", "ul", "ol", "section", "aside", "span"):
        return False
    return any(_names_chrome(node.attrs[key]) for key in ("class", "id") if key in node.attrs)


@lru_cache(maxsize=4096)
def _names_chrome(words: str) -> bool:
    return _CHROME_WORDS.search(words[:500]) is not None


def chrome_spans(document: Document, kept: int = -1) -> list[tuple[int, int]]:
    """Give the outermost frames of a page as sorted stretches.

    Args:
        document: the page.
        kept: a position that belongs to the content: what holds it is no frame.
    """
    spans: list[tuple[int, int]] = []
    for node in document.nodes:
        is_whole = node.end - node.start >= 0.7 * document.nodes[0].end  # a frame around everything is no frame
        if (not spans or node.start >= spans[-1][1]) and not is_whole and not node.holds(kept) and is_chrome(node):
            spans.append((node.start, node.end))
    return spans


def inside(spans: list[tuple[int, int]], position: int) -> bool:
    """Say whether a position lies in one of sorted, disjoint stretches."""
    at = bisect_left(spans, (position + 1, 0)) - 1
    return at >= 0 and spans[at][0] <= position < spans[at][1]


def _anchor(line: Line, index: int) -> Anchor | None:
    text = _LABEL.sub("", line.text)
    name, end = (read_name(text), line.end) if len(text) <= 300 else (None, line.end)
    if name is None or name.rest:
        leading, upto = _leading_runs(line)
        if leading is not None and (name is None or len(leading.text) >= len(name.text)):
            name, end = leading, upto
    is_doubtful = name is None and len(text) <= 60
    name = read_name(text, is_lenient=True) if is_doubtful else name
    if name is None or _lists_people(line, name):
        return None
    first = line.runs[0].node
    emphasis = (
        line.box.tag in HEADINGS
        or first.within("b", "strong", "a", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "th") is not None
    )
    return Anchor(line, name, line.start, end, strength(text, name), place_of(line, index), emphasis, is_doubtful)


def _leading_runs(line: Line) -> tuple[Name | None, int]:
    """Read the first elements of a line as a name: `<b>Ada Example</b> builds bridges`."""
    for count in range(min(4, len(line.runs) - 1), 0, -1):
        text = " ".join(run.text for run in line.runs[:count])
        if line.runs[count - 1].node is line.box or len(text) > 120:
            continue
        name = read_name(text.rstrip(" ,;:"))
        if name is not None and not name.rest:
            rest = " ".join(run.text for run in line.runs[count:]).strip(" ,;:|-–")
            return Name(name.text, name.title, rest, name.is_reversed, name.is_dead), line.runs[count - 1].position + 1
    return None, line.end


def _lists_people(line: Line, name: Name) -> bool:
    """A line of several names is a list of authors or members, not a person's own."""
    if not name.rest:
        return False
    parts = _AND.split(line.text)[:8]
    if re.search(r"\bet al\b|\b(19|20)\d\d\)?[.:]|\bpp\. ?\d|\bdoi\b", line.text):
        return True
    others = [part for part in parts[1:] if (found := read_name(part)) is not None and not found.rest]
    return len(others) >= 2 or (len(others) == 1 and len(parts) == 2)


def place_of(line: Line, index: int) -> tuple[str, ...]:
    """Give a line's place in the tree: the same for lines that a template repeats.

    Args:
        line: a line.
        index: how many lines its box has before it.
    """
    box = line.box
    parts = [box.tag, _VARIANT.sub("", box.get("class")).strip(), str(min(index, 1))]
    if box.tag in ("td", "th") and box.parent is not None:
        parts.append(str(box.column))
    for depth, outer in enumerate(box.ancestors()):
        if depth == 3:
            break
        parts.append(outer.tag)
        if outer.tag in ("td", "th"):
            parts.append(str(outer.column))
    return tuple(parts)


def attested(anchors: list[Anchor], labels: list[str]) -> list[Anchor]:
    """Leave out the doubtful ones, unless a title, a picture's label or their own link bears the name.

    Args:
        anchors: of one place in the tree.
        labels: alt texts and file names of the page's pictures.
    """
    doubtful = sum(anchor.is_doubtful for anchor in anchors)
    if 3 * doubtful > len(anchors):
        return [anchor for anchor in anchors if not anchor.is_doubtful]
    words = [frozenset(fold(label).split()) for label in labels[:1000]] if doubtful else []
    return [anchor for anchor in anchors if not anchor.is_doubtful or _is_borne(anchor, words)]


def _is_borne(anchor: Anchor, labels: list[frozenset[str]]) -> bool:
    name = set(anchor.name.key.split())
    link = anchor.line.runs[0].node.within("a")
    slug = set(fold(link.get("href")).split()) if link is not None else set()
    return anchor.name.title is not None or name <= slug or any(name <= label for label in labels)
