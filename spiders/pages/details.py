"""What a block says of its person: role, profile page, and, by the headings over it, section and former."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from spiders.pages.blocks import Block
from spiders.pages.document import HEADINGS, Document, Line, Node
from spiders.pages.names import fold, read_name
from spiders.pages.roles import classify, is_former, role_class

_CONTACT = re.compile(
    r"@|\bAT \w+\.|[\[(]at[\])]|https?://|www\.|(\+|\b0|\()\d[\d ()/.\-–]{5,}|^(e|t|f|m)\s*(:|\.\s*[\d+(])"
    r"|^(e-?mail|tel|phone|fax|address|anschrift|adresse|sprechstunden?|office hours|mobil|mobile|orcid|website"
    r"|homepage|kontakt"
    r"|contact)\b|^(room|raum|office|büro|zimmer|gebäude|building|location)\b\s*([:#]|\w*\d)",
    re.IGNORECASE,
)
_PROFILE_WORDS = re.compile(
    r"profile?|homepage|home page|website|web ?site|personal page|more|mehr|details|zur person|bio|read|view"
    r"|visitenkarte|voir|ver más|个人主页|web",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"(twitter|x|linkedin|github|orcid|facebook|instagram|researchgate|youtube|mastodon|bsky|xing)\.(com|org|net"
    r"|app|social)|scholar\.google|doi\.org|wikipedia\.org|dblp\.",
    re.IGNORECASE,
)
_NO_ROLE = re.compile(
    r"^(IEEE|ACM|AAAI|ISCA|Royal Society(?! (University )?Research)|Leopoldina)\b|"
    r"^(research|teaching|main|scientific|current)? ?(interests?|areas?|topics?|fields?|focus|keywords"
    r"|forschung\w*|arbeitsgebiet\w*|schwerpunkt\w*|thema|topic|thesis|dissertation|projekt|project)\b.{0,12}:"
    r"|^(research (interests?|areas?)|forschungs(gebiete?|schwerpunkte?|interessen)|research intetests?)\b"
    r"|^[BM]\.? ?(Sc|S|A|Eng|Tech|Phil|Ed)\b\.? ?[^ ]{0,4} ?[(,-]|^Ph\.? ?D\.?,? ?(\(|(from|in|at|of)\b)"
    r"|\bPh\.?D\.? ?\(|大学.{0,12}(硕士|博士|学士|本科)$|(硕士|学士|博士)[,，]? *(19|20)\d\d|奖学金|(毕业于|学位)"
    r"|^(Ph\.? ?D|[BMD]\.? ?(Sc|S|A|Eng|Phil|Ed)|Dipl\w*|Diploma?|Doctorate)\b.*(Universi|College|Institut|School)"
    r"|^(co-?)?(supervis|advis|betreu)\w*\b(?!,)"
    r"|^, ?(Ph\.? ?D|M\.? ?D|[BM]\.? ?(Sc|S|A|Eng)|Dr\.?( \w+\.)?|Dipl\.?-\w+)\.?$",
    re.IGNORECASE,
)
"""Lines that hold a word of a job but tell of honours, interests, degrees or supervisors."""

_ROLE_LABEL = re.compile(
    r"^(position|funktion|function|role|rolle|poste|cargo|职称|职务|職位|status)\s*[:：]\s*", re.IGNORECASE
)
_SENTENCE = re.compile(
    r"\b(?:is|ist|est|es)\s+(?:currently\s+)?(?:an?|the|our|ein|eine|une?|una|der|die)\b\s*((?:[^.;,(]|\b\w\.){3,100}?)"
    r"\s*(?=[.;,(]|$| who | and | at | working | with | since | seit )",
    re.IGNORECASE,
)

MAX_ROLE_CHARS = 160
_FURNITURE_TIMES = 3
"""A heading that stands so often on a page ("Contact me") belongs to each card, and heads no section."""


@dataclass(frozen=True, slots=True)
class Details:
    """What stands beside a name."""

    role: str | None
    role_class: str
    profile_url: str | None
    is_former: bool


@dataclass(frozen=True, slots=True)
class _Heading:
    position: int
    level: int
    text: str
    over: _Heading | None
    """The nearest heading before it of a higher rank."""


class Sections:
    """The headings that stand outside all blocks, and the labels of tabs."""

    def __init__(self, document: Document, blocks: list[Block]) -> None:
        """Read the headings of a page.

        Args:
            document: the page.
            blocks: its people, in page order; what stands inside them heads nobody else.
        """
        self.labels = _tab_labels(document)
        times = Counter(line.text for line in document.lines)
        spans = sorted((block.anchor.start, block.end) for block in blocks)
        self.headings: list[_Heading] = []
        at = 0
        for line in document.lines:
            while at < len(spans) and spans[at][1] <= line.start:
                at += 1
            if at < len(spans) and spans[at][0] <= line.start:
                continue
            level = _heading_level(line)
            if level is not None and len(line.text) <= 120 and times[line.text] < _FURNITURE_TIMES:
                over = self.headings[-1] if self.headings else None
                while over is not None and over.level >= level:
                    over = over.over
                self.headings.append(_Heading(line.start, level, line.text, over))

    def over(self, block: Block) -> list[str]:
        """Give the headings over a block, nearest first, each of a higher rank than the one before."""
        found = [
            self.labels[key] for node in block.anchor.line.box.ancestors() if (key := node.get("id")) in self.labels
        ]
        at = bisect_left(self.headings, block.anchor.start, key=lambda heading: heading.position)
        heading = self.headings[at - 1] if at else None
        while heading is not None:
            found.append(heading.text)
            heading = heading.over
        return found


def _heading_level(line: Line) -> int | None:
    box = line.box
    node = line.runs[0].node.within(*HEADINGS, "caption", "legend", "summary")
    if node is not None:
        return HEADINGS.get(node.tag, 6)
    if box.get("role") == "heading":
        return int(box.get("aria-level")) if box.get("aria-level").isdigit() else 2
    if len(line.text) > 60 or not (role_class(line.text) or is_former(line.text)):
        return None
    if box.tag in ("th", "dt", "button") or all(run.node.within("b", "strong", "button") for run in line.runs):
        return 7
    return None


def _tab_labels(document: Document) -> dict[str, str]:
    """Read which link or button opens which panel."""
    labels: dict[str, str] = {}
    for line in document.lines:
        node = line.runs[0].node.within("a", "button")
        if node is None or len(line.text) > 80:
            continue
        for name in ("href", "aria-controls", "data-bs-target", "data-target", "data-tab"):
            value = node.get(name)
            if value and (value.startswith("#") or name in ("aria-controls", "data-tab")):
                labels.setdefault(value.lstrip("#"), line.text)
    return labels


def details_of(document: Document, block: Block, sections: Sections, given_role: str | None = None) -> Details:
    """Read what a block says beside name and portrait.

    Args:
        document: the page.
        block: one person's.
        sections: the page's headings.
        given_role: what a hint, microdata or hCard say; it is taken as it stands.
    """
    headings = sections.over(block) if block.format != "profile" else []
    section = next((text for text in headings if len(text) <= 100 and (role_class(text) or is_former(text))), None)
    role = given_role or _role(document, block)
    if role is None or (role_class(role) is None and not given_role):
        role = section if section and (role is None or role_class(section)) else role
    name = block.anchor.name
    former = any(is_former(text) for text in headings) or name.is_dead or (role is not None and _starts_former(role))
    return Details(
        role=role,
        role_class=classify(role, section, name.title, former),
        profile_url=_profile_url(document, block),
        is_former=former,
    )


def _starts_former(role: str) -> bool:
    return is_former(role[:25])


def _role(document: Document, block: Block) -> str | None:
    """Give the text that tells the job; else what follows the name at once, if it is short."""
    anchor = block.anchor
    beside = _beside_name(anchor.name.rest)
    if beside is not None and role_class(beside):
        return beside
    lines = document.lines_in(anchor.end, block.end)[:14]
    before = [line for line in document.lines_in(block.start, anchor.start)[-2:] if len(line.text) <= 80]
    for line in [*lines, *before]:
        text = _role_text(line.text) or _said_of(line.text)
        if text and role_class(text) and anchor.name.text not in text:
            return text
    is_section = bool(lines) and block.format == "profile" and lines[0].runs[0].node.within(*HEADINGS) is not None
    if beside is not None or not lines or is_section:
        return beside
    first = _role_text(lines[0].text)
    return first if first is not None and len(first) <= 80 else None


def _beside_name(rest: str) -> str | None:
    """Give the first part of what follows a name in its line that tells of a job, else the first part."""
    if sentence := _said_of(rest):
        return sentence
    parts = [text for part in re.split(r"[,;|]", rest) if (text := _plain(part)) and len(text) <= 100]
    return next((part for part in parts if role_class(part)), parts[0] if parts else None)


def _said_of(text: str) -> str | None:
    """`... is a professor of bridges. She ...` tells that she is a "professor of bridges"."""
    match = _SENTENCE.search(text[:300])
    return match[1].strip() if match and role_class(match[1]) else None


def _plain(text: str) -> str | None:
    """Give a text without label and brackets, unless it is an address, a degree, a date or prose."""
    text = _ROLE_LABEL.sub("", _unwrapped(text))
    if not 2 <= len(text) <= MAX_ROLE_CHARS or _CONTACT.search(text) or text[0].isdigit() or _NO_ROLE.search(text):
        return None
    text = text.rstrip(" ,;")
    if text.endswith("。") or (text.endswith((".", "!", "?")) and len(text) > 60):
        return None
    return text


def _unwrapped(text: str) -> str:
    """Take bullets off, and brackets that hold the whole or have no counterpart."""
    text = text.strip(" []•·-–|")
    if text.startswith("(") and text.find(")") in (-1, len(text) - 1):
        text = text.strip("()")
    return text.removesuffix(")") if text.count(")") > text.count("(") else text


def _role_text(line: str) -> str | None:
    """Give a line that may tell a job: plain, and no other person's name."""
    text = _plain(line)
    name = read_name(text) if text else None
    if text is None:
        return None
    is_person = name is not None and not name.rest and (name.title is not None or role_class(text) is None)
    return None if is_person else text


def _profile_url(document: Document, block: Block) -> str | None:
    """Give the page that the name links to; else the portrait's link; else one that says so."""
    anchor = block.anchor
    own = [run.node.within("a") for run in anchor.line.runs if run.position < anchor.end]
    inside = [node for node in document.nodes_in(block.start, block.end) if node.tag == "a"]
    for node in own:
        if node is not None and (url := _page(document, node)):
            return url
    if block.picture is not None and block.picture.link and _is_page(block.picture.link, document):
        return block.picture.link
    for node in inside:
        words = " ".join(
            [
                node.get("title"),
                node.get("aria-label"),
                *(line.text for line in document.lines_in(node.start, node.end)),
            ]
        )
        if (_PROFILE_WORDS.search(words) or fold(anchor.name.text) in fold(words)) and (url := _page(document, node)):
            return url
    return None


def _page(document: Document, node: Node) -> str | None:
    url = document.absolute(node.get("href"))
    return url if url and _is_page(url, document) else None


def _is_page(url: str, document: Document) -> bool:
    return (
        not url.startswith("data:") and not _ELSEWHERE.search(url) and url.split("#")[0] != document.url.split("#")[0]
    )
