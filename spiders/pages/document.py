"""A saved page as flat lists: nodes, lines of text, and where each stands.

Beautiful Soup on lxml builds the tree; it is walked once. What follows works on positions (one counter for elements
and texts in document order), which is many times faster than walking the tree again for each question.
"""

from __future__ import annotations

import re
import warnings
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from functools import lru_cache
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup
from bs4.dammit import EncodingDetector
from bs4.element import NavigableString, Tag
from w3lib.url import safe_url_string

from spiders.pages.contract import PageInput
from spiders.pages.words import word_set

MAX_PAGE_BYTES = 4_000_000
"""Read of one page; a directory of a thousand people with inlined icons has about 2 MB."""

MAX_TAGS = 50_000
"""Tags (opening and closing) read of one page: about a second of parsing, 25 times an ordinary page."""

MAX_DEPTH = 400
"""Elements deeper than this are not looked at; browsers stop at 512."""

INLINE = word_set(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp "
    "small"
    " span strike strong sub sup time tt u var wbr"
)
"""Elements that do not end a line of text."""

_SILENT = word_set("script style template svg math head title iframe object select option textarea canvas")
"""Elements whose text nobody reads."""

HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}


_BLOCK_GAP = re.compile(
    r"(</?(?:div|p|ul|ol|li|table|tbody|thead|tr|td|th|section|article|h[1-6]|figure|dl|dt|dd|br)\b[^<>]*>)\s+(?=<)",
    re.IGNORECASE,
)
"""White space that no reader sees, between a block's tag and the next tag: half of all the parser's texts."""

_GLUED = re.compile(r".?[a-zß-ÿ]\|[A-ZÀ-Þ].?|[A-ZÀ-Þ]{2}\|[A-ZÀ-Þ][a-zß-ÿ]|.?[).]\|[A-ZÀ-Þ][a-zß-ÿ]")
"""A border between two elements where one word ends and another begins."""

_SAFE_URL = re.compile(r"[A-Za-z0-9._~:/?=&%+,;@!$()*'-]*")
"""Addresses that are sent as they stand; encoding the others costs ten times as much."""


@dataclass(slots=True, eq=False)
class Node:
    """An element. Positions `[start, end)` cover it and all that it holds."""

    tag: str
    attrs: dict[str, str]
    parent: Node | None
    depth: int
    start: int
    end: int = 0
    source: Tag | None = None
    column: int = 0
    """Of a table's cell: how many stand before it in its row."""
    cell_count: int = 0

    def get(self, name: str) -> str:
        """Give an attribute, stripped; empty where there is none."""
        return self.attrs.get(name, "").strip()

    def ancestors(self) -> Iterator[Node]:
        """Give the elements around this one, nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def within(self, *tags: str) -> Node | None:
        """Give the nearest of this element and those around it that has one of the tags."""
        node: Node | None = self
        while node is not None and node.tag not in tags:
            node = node.parent
        return node

    def holds(self, position: int) -> bool:
        """Say whether a position lies inside."""
        return self.start <= position < self.end


@dataclass(slots=True, eq=False)
class Run:
    """A text of a line, as one element holds it."""

    text: str
    node: Node
    position: int


@dataclass(slots=True, eq=False)
class Line:
    """Text that a browser would set without a break, with the nearest element that is not inline."""

    runs: list[Run]
    box: Node
    text: str

    @property
    def start(self) -> int:
        """Position of the first text."""
        return self.runs[0].position

    @property
    def end(self) -> int:
        """Position after the last text."""
        return self.runs[-1].position + 1


@dataclass(slots=True)
class Document:
    """A page, read once."""

    soup: BeautifulSoup
    url: str
    base_url: str
    nodes: list[Node] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    title: str = ""
    is_cut: bool = False
    """The page was larger than is read; what stands behind the cut is missing."""
    _line_starts: list[int] = field(default_factory=list)
    _node_starts: list[int] = field(default_factory=list)

    def absolute(self, address: str) -> str | None:
        """Give an address as a browser would ask for it, or None where it is none (`data:` passes unchanged)."""
        return absolute_url(self.base_url, address)

    def lines_in(self, start: int, end: int) -> list[Line]:
        """Give the lines that begin in `[start, end)`."""
        starts = self._line_starts
        return self.lines[bisect_left(starts, start) : bisect_left(starts, end)]

    def lines_around(self, node: Node) -> list[Line]:
        """Give the lines that an element holds or, if it is inline, has a part in."""
        box = node
        while box.tag in INLINE and box.parent is not None:
            box = box.parent
        return [line for line in self.lines_in(box.start, node.end) if line.end > node.start]

    def nodes_in(self, start: int, end: int) -> list[Node]:
        """Give the elements that begin in `[start, end)`."""
        starts = self._node_starts
        return self.nodes[bisect_left(starts, start) : bisect_left(starts, end)]

    def tagged(self, *tags: str) -> Iterator[Node]:
        """Give the elements of some tags."""
        return (node for node in self.nodes if node.tag in tags)

    def raw_text(self, node: Node) -> str:
        """Give the text of a script, style or title, which no line holds."""
        return node.source.get_text() if node.source is not None else ""

    def select(self, selector: str) -> list[Node]:
        """Give the elements that a CSS selector finds, in page order."""
        tags = {id(tag) for tag in self.soup.select(selector)}
        return [node for node in self.nodes if id(node.source) in tags]


@lru_cache(maxsize=8192)
def absolute_url(base_url: str, address: str) -> str | None:
    """Resolve an address against a page, encoded as a browser would send it, without its fragment.

    Returns:
        None for what names no document (`javascript:`, `mailto:`, `#...`, unreadable); `data:` passes unchanged.
    """
    address = re.sub(r"[\t\r\n]+", "", address.strip())
    if address.startswith("data:"):
        return address
    if not address or address.startswith("#"):
        return None
    try:
        joined = urldefrag(urljoin(base_url, address)).url
        if urlsplit(joined).scheme not in ("http", "https", "file"):
            return None
        return joined if _SAFE_URL.fullmatch(joined) else safe_url_string(joined)
    except (ValueError, UnicodeError):
        return None


def clean(text: str) -> str:
    """Fold all white space, the unbreakable and the invisible too, into single spaces."""
    return " ".join(text.replace("\u200b", "").replace("\u00ad", "").replace("\ufeff", "").split())


def read_document(page: PageInput) -> Document:
    """Parse a page, whatever its bytes are, in bounded time."""
    markup, is_cut = _bounded(page.body)
    text = _decoded(markup, page.headers.get("content-type", ""))
    text = re.sub(r"</br\s*/?>", "<br>", text)  # as browsers do; the parser would drop it and glue two lines together
    text = _BLOCK_GAP.sub(r"\1", text)
    with warnings.catch_warnings():
        # That a body is XML, or looks like a file name, is no concern of a reader.
        warnings.simplefilter("ignore")
        soup = BeautifulSoup(text, "lxml", multi_valued_attributes=None, attribute_dict_class=dict)
    document = Document(soup=soup, url=page.url, base_url=page.url, is_cut=is_cut)
    _Walk(document).run()
    href = next((node.get("href") for node in document.tagged("base") if node.get("href")), "")
    document.base_url = absolute_url(page.url, href) or page.url
    document.title = next((clean(document.raw_text(node)) for node in document.tagged("title")), "")
    document._line_starts = [line.start for line in document.lines]
    document._node_starts = [node.start for node in document.nodes]
    return document


def _bounded(body: bytes) -> tuple[bytes, bool]:
    """Cut a body before it costs more than it can hold: by bytes, then by number of tags."""
    cut = body[:MAX_PAGE_BYTES]
    if cut.count(b"<") > MAX_TAGS:
        at = -1
        for _ in range(MAX_TAGS):
            at = cut.find(b"<", at + 1)
        cut = cut[:at]
    return cut, len(cut) < len(body)


def _decoded(body: bytes, content_type: str) -> str:
    """Read the bytes as a browser would: BOM, then the header's charset, then the page's own, then a guess."""
    header = Message()
    header["content-type"] = content_type or "text/html"
    body, bom = EncodingDetector.strip_byte_order_mark(body)
    declared = EncodingDetector.find_declared_encoding(body, is_html=True, search_entire_document=False)
    for charset in (bom, header.get_param("charset"), declared, "utf-8"):
        if isinstance(charset, str) and (text := _try(body, charset)) is not None:
            return text
    return body.decode("windows-1252", "replace")


def _try(body: bytes, charset: str) -> str | None:
    # Browsers read these labels as their Windows supersets.
    charset = {"iso-8859-1": "windows-1252", "latin-1": "windows-1252", "ascii": "windows-1252", "gb2312": "gb18030",
               "us-ascii": "windows-1252", "latin1": "windows-1252", "gbk": "gb18030"}.get(
        charset.strip().strip("'\"").lower(), charset.strip().strip("'\"")
    )  # fmt: skip
    try:
        text = body.decode(charset, "replace")
    except (LookupError, ValueError, UnicodeError):
        return None
    # A wrong label shows as many holes; one cut character does not make a label wrong.
    return text if text.count("\ufffd") <= 3 + len(text) // 500 else None


class _Walk:
    """One pass along the parser's own order, without recursion: hostile pages nest deeper than Python's stack."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.position = 0
        self.runs: list[Run] = []
        self.open: list[tuple[Tag, Node, bool]] = []
        """Elements entered and not yet left: the element, its node (or the deepest kept), whether it is silent."""

    def run(self) -> None:
        root = self.document.soup
        self.open.append((root, self.enter(root, None), False))
        element = root.contents[0] if root.contents else None
        while element is not None:
            while element.parent is not self.open[-1][0]:
                self.leave()
            _, parent, is_silent = self.open[-1]
            if isinstance(element, Tag):
                node = self.enter(element, parent) if parent.depth < MAX_DEPTH else parent
                self.open.append((element, node, is_silent or element.name in _SILENT))
            elif not is_silent and type(element) is NavigableString:
                self.read(element, parent)
            element = element.next_element
        while self.open:
            self.leave()

    def enter(self, tag: Tag, parent: Node | None) -> Node:
        node = Node(tag.name.lower(), tag.attrs, parent, parent.depth + 1 if parent else 0, self.position, source=tag)  # type: ignore[arg-type]
        self.position += 1
        self.document.nodes.append(node)
        if node.tag in ("td", "th") and parent is not None:
            node.column = parent.cell_count
            parent.cell_count += 1
        if node.tag not in INLINE and node.tag != "img":
            self.flush()
        return node

    def leave(self) -> None:
        tag, node, _ = self.open.pop()
        if node.source is tag:
            node.end = self.position
            if node.tag not in INLINE and node.tag != "img":
                self.flush()

    def read(self, string: NavigableString, parent: Node) -> None:
        text = clean(string)
        if text:
            # Whether a space stood at the border decides if two runs are one word.
            text = (" " if string[0].isspace() else "") + text + (" " if string[-1].isspace() else "")
            self.runs.append(Run(text, parent, self.position))
            self.position += 1
        elif self.runs:
            self.runs[-1].text = self.runs[-1].text.rstrip() + " "

    def flush(self) -> None:
        if not self.runs:
            return
        box = self.runs[0].node
        while box.tag in INLINE and box.parent is not None:
            box = box.parent
        line = Line(self.runs, box, clean("".join(_spaced(self.runs))))
        for run in self.runs:
            run.text = clean(run.text)
        self.document.lines.append(line)
        self.runs = []


def _spaced(runs: list[Run]) -> Iterator[str]:
    """Give the texts of a line; two elements that a style sheet sets apart (`AdaProfessor`) get a space."""
    last: Run | None = None
    for run in runs:
        if last is not None and last.node is not run.node and _GLUED.fullmatch(f"{last.text[-2:]}|{run.text[:2]}"):
            yield " "
        yield run.text
        last = run
