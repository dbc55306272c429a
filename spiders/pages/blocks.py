"""Find the repeated blocks of a page that each show one person.

Names come first: every line that has the shape of a name is an anchor. Anchors of the same place in the tree form a
group. A name's block is the largest element that holds no other name of its group; where names stand side by side
in one element (headings with their paragraphs, definition lists, lines parted by br), it is the stretch up to the
next name. A group is believed by what its blocks hold: portraits, alt texts, file names and mailboxes that repeat the
name, roles, titles. No class name of any site is known here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from spiders.pages.anchors import Anchor, attested, find_anchors, inside, place_of
from spiders.pages.document import HEADINGS, Document, Line, Node, Run
from spiders.pages.names import Name, matches, read_name
from spiders.pages.pictures import Picture
from spiders.pages.roles import is_former, role_class

MAX_GROUPS = 40
"""Groups looked at; a page of people has one to five."""

MAX_DOUBTFUL = 200

MAX_LIKE_LINES = 5
"""Lines of a block that stand in the same place of the tree as its name: role, room and the like."""

MAX_HEADINGS_ON = 50
"""Headings looked at after a name for the end of its section."""

_PHONE = re.compile(r"(\+|\b0|\(0?)\d[\d ()/.\-–]{6,}|\b(tel|phone|fon|telefon)\b|@| AT ", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Block:
    """What a page shows of one person. Positions `[start, end)`."""

    anchor: Anchor
    start: int
    end: int
    picture: Picture | None = None
    evidence: float = 0.0
    is_human: bool = False
    """It tells of a job, a title, a mailbox or a telephone."""
    format: str = "lines"
    top: Node | None = None
    """The element that it fills; None where it is a stretch of one."""


@dataclass(slots=True, eq=False)
class _Group:
    anchors: list[Anchor]
    doubtful: list[Anchor]
    """Texts of the same place that nothing but their place calls names."""
    lines: list[int]
    """Starts of all lines of the same place in the tree, names or not."""
    purity: float = 1.0
    """Names of all such lines; what stands inside a person's block beside the name is not counted."""
    blocks: list[Block] = field(default_factory=list)
    score: float = 0.0
    is_about_people: bool = False
    is_under_roles: bool = False
    """The heading over each of its names tells of a job."""


def find_blocks(builder: Builder, marked: list[Anchor]) -> list[Block]:
    """Give the blocks of all people of a page, in page order.

    Args:
        builder: knows the page and its pictures.
        marked: names that the page itself marks as people's; believed without further evidence.
    """
    document = builder.document
    taken = blocks_of(builder, marked)
    labels = [text for p in builder.pictures if not p.is_placeholder for text in (p.alt, p.file)]
    groups = _groups(document, find_anchors(document), labels)
    for group in groups:
        builder.build(group, [])
    for group in sorted(groups, key=_rank, reverse=True):
        if taken:
            builder.build(group, taken)
        if group.blocks and _is_believable(group):
            least = 1.0 if group.purity >= 0.7 else 1.5
            taken += [block for block in group.blocks if block.evidence >= least]
            taken.sort(key=lambda block: block.start)
            builder.rescue(group, taken)
    return taken or _named_pictures(builder)


def _named_pictures(builder: Builder) -> list[Block]:
    """Where no text names anybody: a wall of portraits that bear their names as alt texts."""
    if not builder.about_people:
        return []
    by_place: dict[tuple[str, ...], list[Block]] = defaultdict(list)
    for picture in builder.pictures:
        label = picture.node.get("alt") or picture.node.get("title") or picture.alt
        name = read_name(label) if label and not picture.is_decoy else None
        if name is not None and not name.rest:
            line = Line([Run(label, picture.node, picture.position)], picture.node, label)
            anchor = Anchor(line, name, picture.position, picture.position + 1, 0.7, place_of(line, 0), False)
            by_place[anchor.signature].append(
                Block(anchor, picture.position, picture.position + 1, picture, format="pictures")
            )
    return max((blocks for blocks in by_place.values() if len(blocks) >= 3), key=len, default=[])


def blocks_of(builder: Builder, anchors: list[Anchor]) -> list[Block]:
    """Give the blocks around names that are known to be people's."""
    group = _Group(anchors, [], [])
    builder.build(group, [])
    return sorted(group.blocks, key=lambda block: block.start)


def _rank(group: _Group) -> tuple[float, float]:
    """Groups with portraits take their blocks first; what is left is for lists of names."""
    return sum(block.evidence for block in group.blocks if block.picture is not None), group.score


def _is_believable(group: _Group) -> bool:
    mean = group.score / len(group.blocks)
    count = len(group.blocks)
    # Cards of products and events have headings and pictures too, but neither jobs nor mailboxes.
    if not group.is_about_people and sum(block.is_human for block in group.blocks) < 0.3 * count:
        return False
    least = 2.0 if count < 3 and not group.is_under_roles else 1.3 if count >= 5 and group.purity >= 0.9 else 1.5
    return mean >= (least if group.purity >= 0.5 else least + 0.7)


def _groups(document: Document, anchors: list[Anchor], labels: list[str]) -> list[_Group]:
    """Gather anchors by their place in the tree; the largest groups first."""
    _join_columns(document, [anchor for anchor in anchors if not anchor.is_doubtful])
    by_signature: dict[tuple[str, ...], list[Anchor]] = defaultdict(list)
    for anchor in anchors:
        by_signature[anchor.signature].append(anchor)
    kept = {signature: attested(found, labels) for signature, found in by_signature.items()}
    lines: dict[tuple[str, ...], list[int]] = defaultdict(list)
    counts: Counter[int] = Counter()
    for line in document.lines:
        lines[place_of(line, counts[id(line.box)])].append(line.start)
        counts[id(line.box)] += 1
    groups = [_Group(found, _left(by_signature[place], found), lines[place]) for place, found in kept.items() if found]
    return sorted(groups, key=lambda group: -len(group.anchors))[:MAX_GROUPS]


def _left(anchors: list[Anchor], kept: list[Anchor]) -> list[Anchor]:
    chosen = {id(anchor) for anchor in kept}
    return [anchor for anchor in anchors if id(anchor) not in chosen][:MAX_DOUBTFUL]


def _join_columns(document: Document, anchors: list[Anchor]) -> None:
    """A column of a table means the same thing in each row, unless the rows are full of people: then it is a grid."""
    named: dict[int, dict[int, Node]] = defaultdict(dict)
    for anchor in anchors:
        cell = anchor.line.box.within("td", "th")
        if cell is not None and cell.parent is not None:
            named[id(cell.parent)][id(cell)] = cell
    grids = set()
    for cells in named.values():
        row = next(iter(cells.values())).parent
        if row is not None and len(cells) >= 2:
            spoken = {id(line.box.within("td", "th")) for line in document.lines_in(row.start, row.end)}
            if len(cells) >= 0.75 * len(spoken):
                grids.add(id(row.parent))
    for anchor in anchors:
        cell = anchor.line.box.within("td", "th")
        if cell is not None and cell.parent is not None and id(cell.parent.parent) in grids:
            anchor.signature = ("grid", *(part for part in anchor.signature if not part.isdigit()))


class Builder:
    """Builds the blocks of one group between the blocks that are taken already.

    Args:
        document: the page.
        pictures: all its pictures, in page order.
        about_people: title, address or heading say that this is a page of people.
    """

    def __init__(self, document: Document, pictures: list[Picture], about_people: bool) -> None:
        self.document = document
        self.pictures = pictures
        self.starts = [picture.position for picture in pictures]
        self.taken: list[Block] = []
        self.about_people = about_people
        self.rows: dict[int, list[Node]] = {}
        self.headings = [node for node in document.nodes if node.tag in HEADINGS]

    def build(self, group: _Group, taken: list[Block]) -> None:
        """Set the group's blocks and score, leaving alone what other groups have taken."""
        self.taken = taken
        spans = [(block.start, block.end) for block in taken]
        anchors = [a for a in group.anchors if not inside(spans, a.start)]
        tops = self.tops(anchors)
        blocks = [
            Block(a, *((top.start, top.end) if top else (a.start, a.line.end)))
            for a, top in zip(anchors, tops, strict=True)
        ]
        for block, top in zip(blocks, tops, strict=True):
            if top is not None:
                block.picture = self.nearest_picture(block, top)
                block.format = _format_of(top)
                block.top = top
        if sum(block.picture is not None for block in blocks) * 2 < len(blocks):
            self.side_by_side(blocks, tops)
        else:
            for shared in _bare_siblings(blocks, tops):
                self.side_by_side([blocks[at] for at in shared], [tops[at] for at in shared])
        under = [self.is_under_role(block) for block in blocks]
        for block, is_under in zip(blocks, under, strict=True):
            self.weigh(block)
            block.evidence += 0.5 * is_under
            block.is_human = block.is_human or is_under
        group.is_under_roles = all(under)
        group.is_about_people = self.about_people
        group.blocks = _merged(blocks)
        group.purity = self.purity(group)
        group.score = sum(block.evidence for block in group.blocks)

    def rescue(self, group: _Group, taken: list[Block]) -> None:
        """Take a doubtful name after all, where its element stands among the group's own and shows a portrait."""
        self.taken = taken
        holders = {id(block.top.parent) for block in group.blocks if block.top is not None}
        for anchor in group.doubtful:
            top = None if inside([(b.start, b.end) for b in taken], anchor.start) else self.tops([anchor])[0]
            if top is None or id(top.parent) not in holders:
                continue
            block = Block(anchor, top.start, top.end, format=_format_of(top), top=top)
            block.picture = self.nearest_picture(block, top)
            if block.picture is not None and not block.picture.is_placeholder:
                taken.append(block)
                taken.sort(key=lambda block: block.start)

    def tops(self, anchors: list[Anchor]) -> list[Node | None]:
        """Give for each anchor the largest element that holds no other person; None where its line shares its box."""
        found: list[Node | None] = []
        ends = [block.end for block in self.taken]
        starts = [block.start for block in self.taken]
        for at, anchor in enumerate(anchors):
            before = _previous(anchors, at)
            after = _next(anchors, at)
            taken_at = bisect_left(starts, anchor.start)
            low = max(before.end if before else 0, ends[taken_at - 1] if taken_at else 0)
            high = min(after.start if after else 1 << 60, starts[taken_at] if taken_at < len(starts) else 1 << 60)
            top: Node | None = None
            node: Node | None = anchor.line.box
            while (
                node is not None
                and node.start >= low
                and node.end <= high
                and node.tag not in ("body", "html", "main", "[document]")
            ):
                top, node = node, node.parent
            found.append(top)
        return found

    def nearest_picture(self, block: Block, top: Node) -> Picture | None:
        """Give the best picture of the smallest element around the name that holds one."""
        node: Node | None = block.anchor.line.box
        while node is not None:
            best = self.best(block.anchor.name, self.within(node.start, node.end))
            if best is not None:
                return best
            if node is top:
                return None
            node = node.parent
        return None

    def within(self, start: int, end: int) -> list[Picture]:
        """Give the pictures in `[start, end)`."""
        return self.pictures[bisect_left(self.starts, start) : bisect_left(self.starts, end)]

    def best(self, name: Name, candidates: Iterable[Picture]) -> Picture | None:
        """Give the most likely portrait: what repeats the name first, then what is no decoy, then the first."""
        ranked = [(likeness(name, picture), -at, picture) for at, picture in enumerate(candidates)]
        ranked = [entry for entry in ranked if entry[0] > 0]
        return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None

    def side_by_side(self, blocks: list[Block], tops: list[Node | None]) -> None:
        """Names and pictures are siblings: decide whether a picture stands before its name or after it."""
        ways = [self.stretches(blocks, tops, forward) for forward in (True, False)]
        ways.append(self.cells(blocks, tops))
        scores = []
        for stretches in ways:
            pairs = [(self.best(b.anchor.name, self.within(*s)), b) for b, s in zip(blocks, stretches, strict=True)]
            scores.append(sum(1 + matches(b.anchor.name, p.alt + " " + p.words) for p, b in pairs if p is not None))
        if not any(scores):
            for block, stretch in zip(blocks, ways[0], strict=True):
                block.end = max(block.end, stretch[1])
            return
        chosen = ways[scores.index(max(scores))]
        for block, (start, end) in zip(blocks, chosen, strict=True):
            block.picture = block.picture or self.best(block.anchor.name, self.within(start, end))
        if chosen is not ways[2]:
            for block, stretch in zip(blocks, ways[0], strict=True):
                block.end = max(block.end, stretch[1])

    def stretches(self, blocks: list[Block], tops: list[Node | None], forward: bool) -> list[tuple[int, int]]:
        """Give from each name to the next one (or from the one before) inside their common element."""
        found = []
        for at, (block, top) in enumerate(zip(blocks, tops, strict=True)):
            holder = top.parent if top is not None else block.anchor.line.box
            low, high = (holder.start, holder.end) if holder is not None else (block.start, block.end)
            before, after = blocks[at - 1] if at else None, blocks[at + 1] if at + 1 < len(blocks) else None
            if forward:
                high = min(high, after.start if after else high)
                if after is None:
                    high = min(high, self.end_of_last(block, blocks, high))
                found.append((block.start, self.before_heading(block, high)))
            else:
                low = max(low, before.end if before else low)
                found.append((low, block.end))
        return found

    def before_heading(self, block: Block, end: int) -> int:
        """A stretch ends where a heading of higher rank opens the next section."""
        own = block.anchor.line.runs[0].node.within(*HEADINGS)
        rank = HEADINGS[own.tag] if own is not None else 5
        at = bisect_left(self.headings, block.anchor.line.end, key=lambda node: node.start)
        for node in self.headings[at : at + MAX_HEADINGS_ON]:
            if node.start >= end:
                break
            if HEADINGS[node.tag] < rank:
                return node.start
        return end

    def end_of_last(self, block: Block, blocks: list[Block], high: int) -> int:
        """The last stretch has no name after it: it may be twice as long as the longest of the others."""
        gaps = [b.start - a.start for a, b in pairwise(blocks)]
        return min(high, block.start + 2 * max(gaps)) if gaps else high

    def cells(self, blocks: list[Block], tops: list[Node | None]) -> list[tuple[int, int]]:
        """A table with a row of pictures over (or under) a row of names: the same column of the next rows."""
        found = []
        for block, top in zip(blocks, tops, strict=True):
            cell = top if top is not None and top.tag in ("td", "th") else None
            other = self.cell_near(cell) if cell is not None else None
            found.append((other.start, other.end) if other is not None else (block.start, block.start))
        return found

    def cell_near(self, cell: Node) -> Node | None:
        """Give the cell with a picture right above or below."""
        row = cell.parent
        if row is None or row.parent is None:
            return None
        rows = self.rows_of(row.parent)
        at = bisect_left(rows, row.start, key=lambda other: other.start)
        for other in rows[max(at - 1, 0) : at] + rows[at + 1 : at + 2]:
            for node in self.document.nodes_in(other.start, other.end):
                is_same_column = node.tag in ("td", "th") and node.parent is other and node.column == cell.column
                if is_same_column and self.within(node.start, node.end):
                    return node
        return None

    def rows_of(self, table: Node) -> list[Node]:
        """Give a table's rows, looked up once."""
        if id(table) not in self.rows:
            inside = self.document.nodes_in(table.start, table.end)
            self.rows[id(table)] = [node for node in inside if node.tag == "tr" and node.parent is table]
        return self.rows[id(table)]

    def purity(self, group: _Group) -> float:
        """Give which part of the lines in the names' place are names, apart from a few inside the blocks."""
        count = len(group.blocks)
        taken = [(block.start, block.end) for block in self.taken]
        others = sum(not inside(taken, start) for start in group.lines) - count
        for block in group.blocks:
            within = bisect_left(group.lines, block.end) - bisect_left(group.lines, block.start) - 1
            others -= within if within <= MAX_LIKE_LINES else 0
        return count / (count + max(others, 0)) if count else 0.0

    def weigh(self, block: Block) -> None:
        """Say how much speaks for a person here: form of the name, portrait, mailbox, role, emphasis."""
        anchor, name = block.anchor, block.anchor.name
        total = anchor.shape + 0.3 * anchor.emphasis + 0.3 * self.about_people
        if block.picture is not None:
            total += 1.0 + min(matches(name, f"{block.picture.alt} {block.picture.words}"), 2) * 0.5
        lines = self.document.lines_in(anchor.start, min(block.end, anchor.start + 400))[:12]
        texts = [name.rest, *(line.text for line in lines[1:])]
        has_role = any(text and len(text) < 160 and role_class(text) is not None for text in texts)
        has_contact = any(_PHONE.search(text[:300]) for text in texts)
        has_mail = self.has_own_mail(block)
        block.evidence = total + 0.5 * has_role + 0.3 * has_contact + 0.5 * has_mail
        block.is_human = has_role or has_contact or has_mail or name.title is not None

    def is_under_role(self, block: Block) -> bool:
        """Say whether the nearest heading before a name (and not of it) tells of a job or of former members."""
        own = block.anchor.line.runs[0].node.within(*HEADINGS)
        at = bisect_left(
            self.headings, own.start if own is not None else block.anchor.start, key=lambda node: node.start
        )
        lines = self.document.lines_around(self.headings[at - 1]) if at else []
        return any(len(line.text) < 80 and (role_class(line.text) or is_former(line.text)) for line in lines[:1])

    def has_own_mail(self, block: Block) -> bool:
        """Say whether a mailbox in the block repeats the name."""
        nodes = self.document.nodes_in(block.start, min(block.end, block.start + 600))
        mails = (node.get("href") for node in nodes if node.tag == "a" and node.get("href").startswith("mailto:"))
        return any(matches(block.anchor.name, mail[7:].split("@")[0]) for mail in mails)


_FORMATS = {
    **dict.fromkeys(("tr", "td", "table", "tbody"), "table"),
    **dict.fromkeys(("dt", "dd", "dl"), "definitions"),
    **dict.fromkeys(("h2", "h3", "h4", "h5", "h6"), "headings"),
    **{"li": "list", "figure": "figures", "p": "paragraphs"},
}


def _format_of(top: Node) -> str:
    return _FORMATS.get(top.tag, "cards")


def likeness(name: Name, picture: Picture) -> float:
    """Give how likely a picture near a name is the portrait; 0 for what is none."""
    said = min(matches(name, picture.alt) + matches(name, picture.words), 3)
    if picture.is_small or (picture.is_decoy and not said and not picture.is_placeholder):
        return 0.0
    return 1.0 + said - 0.5 * picture.is_background - 0.4 * picture.is_placeholder - 0.5 * picture.is_decoy


def _bare_siblings(blocks: list[Block], tops: list[Node | None]) -> list[list[int]]:
    """Give the blocks, by element, of elements that hold several names side by side and give none of them a picture.

    A list per section is an element per person where a section has one person, and a row of names where it has two.
    """
    by_holder: dict[int, list[int]] = defaultdict(list)
    for at, (block, top) in enumerate(zip(blocks, tops, strict=True)):
        by_holder[id(top.parent if top is not None else block.anchor.line.box)].append(at)
    return [held for held in by_holder.values() if len(held) > 1 and all(blocks[at].picture is None for at in held)]


def _previous(anchors: list[Anchor], at: int) -> Anchor | None:
    """Give the anchor before this one that bears another name."""
    return next((a for a in reversed(anchors[max(at - 6, 0) : at]) if a.name.key != anchors[at].name.key), None)


def _next(anchors: list[Anchor], at: int) -> Anchor | None:
    return next((a for a in anchors[at + 1 : at + 7] if a.name.key != anchors[at].name.key), None)


def _merged(blocks: list[Block]) -> list[Block]:
    """A name that stands twice in one block (a card and its overlay) is one person."""
    merged: list[Block] = []
    for block in blocks:
        last = merged[-1] if merged else None
        if last is not None and last.anchor.name.key == block.anchor.name.key and block.start < last.end:
            if block.evidence > last.evidence:
                merged[-1] = block
            continue
        merged.append(block)
    return merged
