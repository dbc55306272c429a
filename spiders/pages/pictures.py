"""The pictures of a page: where their bytes are, what they are called, and which are plainly nobody's portrait."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote, urlsplit

from spiders.pages.document import Document, Node
from spiders.pages.names import fold
from spiders.pages.words import word_set

_LAZY = (
    "data-src", "data-lazy-src", "data-lazy", "data-original", "data-srcset", "data-lazy-srcset", "data-original-src",
    "data-echo", "data-image", "data-img", "data-img-src", "data-url", "data-bg", "data-background",
    "data-background-image",
    "data-bg-src", "data-hi-res-src", "data-flickity-lazyload", "data-ll-src", "data-cfsrc", "data-delayed-url",
)  # fmt: skip
_FULL = (
    "data-full", "data-full-src", "data-large", "data-large-file", "data-large_image", "data-zoom-image", "data-zoom",
    "data-orig-file", "data-hires",
)  # fmt: skip
_IMAGE_TAGS = frozenset(("img", "amp-img", "image", "v-img"))
_BACKGROUNDS = ("data-bg", "data-background", "data-background-image", "data-bg-src")
_SRCSET = re.compile(r"[\s,]*([^\s,]\S*[^\s,]|[^\s,])(?:\s+(\d+(?:\.\d+)?)([wxh]))?(?:\s+\d+h)?\s*(?=,|$)")
_CSS_URL = re.compile(r"url\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^\"')\s]*))\s*\)", re.IGNORECASE)
_CSS_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,3000})\}")
_PICTURE_FILE = re.compile(r"\.(jpe?g|png|webp|gif|tiff?|bmp|avif|heic)$", re.IGNORECASE)
_THUMBNAIL = re.compile(
    r"(?<![a-z])(thumb(nail)?s?|small|icon)(?![a-z])|[-_/](\d{2,3})x(\d{2,3})(?=[._/-]|$)|[?&](w|width|h|height)=(\d{1,3})(?!\d)",
    re.IGNORECASE,
)
_BLANK_DATA = re.compile(r"^data:(image/svg|image/gif;base64,R0lGOD|,|image/png;base64,.{0,160}$)", re.IGNORECASE)

_STAND_IN = r"(default|generic|dummy|anonym\w*|unknown|missing|empty|mystery|blank)"
_LIKENESS = (
    r"(pic|picture|photo|image|images|img|user|avatar|profile|person|people|portrait|man|male|female|woman|face"
    r"|staff|member|icon|head|headshot|foto|bild)"
)
_PLACEHOLDER = re.compile(
    rf"(?<![a-z])(place ?holders?|silhouettes?|silouettes?|no ?{_LIKENESS}|{_STAND_IN} ?{_LIKENESS}"
    rf"|{_LIKENESS} ?{_STAND_IN}"
    rf"|{_LIKENESS} (not available|unavailable|coming soon|folgt|fehlt|na|tba|none)|kein(e|en)? ?(bild|foto"
    rf"|abbildung)|ohne ?(bild|foto)"
    r"|sin ?(foto|imagen)|sans ?photo|foto ?folgt|platzhalter\w*|(image|photo|picture|portrait) coming"
    r"|gravatar default|mystery ?man"
    r"|user icon|icon user|person icon|icon person)(?![a-z])|暂无|默认头像|頭像默认|準備中",
)
_PLACEHOLDER_FILES = word_set(
    "default dummy anonymous anonym blank unknown avatar noone nobody empty none platzhalter nn shadow"
)
"""A picture whose whole file name (numbers and sizes apart) is one of these shows nobody."""

_DECOY = word_set(
    "logo logos icon icons favicon banner sprite badge button arrow karte lageplan sponsor sponsors funder "
    "flag flags spacer pixel"
    " loading spinner twitter facebook linkedin github orcid scholar youtube instagram qr qrcode pattern "
    "gruppenfoto gruppenbild"
    " teamfoto teambild groupphoto grouppicture teamphoto grouppic staticmap openstreetmap flyer poster "
    "diagram featured captcha emoji")  # fmt: skip
"""Words of file names, classes and alt texts of what is no portrait. The person's name beside them outweighs them."""

_FULL_SIDE_PX = 160
"""A portrait that is shown smaller than this has room for no face crop of 128 px; its own page may show more."""

_DECOY_FOLDERS = word_set(
    "logo logos icon icons banner banners sponsors funding flags publication publications papers news events "
    "tiles badges covers"
)
_GROUP = re.compile(
    r"\b(group|team|gruppen|class|family) ?(photo|picture|pic|foto|bild|image)|\b(lab|group|team) (retreat"
    r"|outing|dinner|lunch|party|hike|meeting)\b"
)


@dataclass(eq=False)
class Picture:
    """One picture as the page shows it."""

    node: Node
    position: int
    url: str
    """Absolute; the largest of its variants. `data:` where the page carries the bytes."""
    full_url: str | None
    """The larger original that it links to."""
    alt: str
    """Alt and title texts."""
    file: str
    """File name, folded."""
    folder: str
    """Name of its folder, folded."""
    width_px: int | None
    height_px: int | None
    link: str | None
    """Absolute address that a click leads to."""
    is_background: bool = False

    @cached_property
    def is_placeholder(self) -> bool:
        """Whether address or alt text says that it stands for a missing portrait."""
        return says_placeholder(self.alt) or says_placeholder(self.file) or _is_stand_in(self.file)

    @property
    def says_placeholder_in_alt_only(self) -> bool:
        """Whether the alt text alone calls it a stand-in: a template's text that nobody changed says nothing."""
        return self.is_placeholder and not (says_placeholder(self.file) or _is_stand_in(self.file))

    @property
    def words(self) -> str:
        """What the address says."""
        return f"{self.folder} {self.file}"

    @property
    def is_small(self) -> bool:
        """Whether the page shows it too small for a face (an icon, a flag)."""
        sides = [side for side in (self.width_px, self.height_px) if side is not None]
        return bool(sides) and min(sides) < 32

    @property
    def is_thumbnail(self) -> bool:
        """Whether size or address say that it is a small copy, and nothing on the page links to the original."""
        if self.full_url is not None or self.url.startswith("data:"):
            return False
        sides = [side for side in (self.width_px, self.height_px) if side is not None]
        told = _THUMBNAIL.search(urlsplit(self.url).path + "?" + urlsplit(self.url).query)
        sides += [int(side) for side in (told[3], told[4], told[6]) if side] if told else []
        return min(sides) < _FULL_SIDE_PX if sides else told is not None

    @property
    def is_wide(self) -> bool:
        """Whether it is a banner or a group's picture by its form."""
        return bool(self.width_px and self.height_px and self.width_px > 2.2 * self.height_px)

    @cached_property
    def is_decoy(self) -> bool:
        """Whether its words or its form say that it is no portrait."""
        told = f"{self.file} {fold(self.alt)}"
        words = set(f"{told} {fold(self.node.get('class'))}".split())
        in_folder = bool(_DECOY_FOLDERS & set(self.folder.split()))
        return self.is_small or self.is_wide or in_folder or bool(words & _DECOY) or bool(_GROUP.search(told))


def says_placeholder(text: str) -> bool:
    """Say whether a file name or alt text names a stand-in for a missing portrait."""
    return bool(_PLACEHOLDER.search(fold(text)))


def _is_stand_in(file: str) -> bool:
    words = [word for word in file.split() if not re.search(r"\d", word)][:-1]
    return len(words) == 1 and words[0] in _PLACEHOLDER_FILES


def find_pictures(document: Document) -> list[Picture]:
    """Give all pictures of a page in document order: img, picture, noscript copies, CSS backgrounds, image links."""
    rules = _background_rules(document)
    found: list[Picture] = []
    for node in document.nodes:
        if not node.attrs:
            continue
        if node.tag in _IMAGE_TAGS:
            picture = _of_image(document, node)
        elif rules or "style" in node.attrs or any(name in node.attrs for name in _BACKGROUNDS):
            picture = _of_background(document, node, rules)
        else:
            continue
        if picture is not None:
            found.append(picture)
    return found


def _of_image(document: Document, node: Node) -> Picture | None:
    candidates = _candidates(node)
    holder = node.parent
    if holder is not None and (picture := node.within("picture")) is not None:
        for source in document.nodes_in(picture.start, picture.end):
            if source.tag == "source":
                candidates += _srcset(source.get("srcset") or source.get("data-srcset"))
    return _picture(document, node, candidates, is_background=False)


def _candidates(node: Node) -> list[tuple[float, str]]:
    """Addresses of an img with the width in px that it declares (or a rank below any width where it declares none)."""
    found: list[tuple[float, str]] = []
    for name in ("srcset", "data-srcset", "data-lazy-srcset"):
        found += _srcset(node.get(name))
    lazy = next((value for name in _LAZY if (value := node.get(name)) and " " not in value.strip()), "")
    found += [(0.5, lazy)] if lazy and not lazy.startswith(("{", "[")) else []
    source = node.get("src")
    if source and not (_BLANK_DATA.match(source) and found) and not (lazy and says_placeholder(source)):
        found.append((0.6 if not lazy else 0.4, source))
    return found


def _srcset(value: str) -> list[tuple[float, str]]:
    """Read a srcset; `2x` ranks below any width but above no descriptor."""
    found = []
    for match in _SRCSET.finditer(value[:20_000]):
        size = float(match[2]) if match[2] else 0.55
        found.append((size if match[3] != "x" else min(size, 9.0) / 10 + 0.55, match[1]))
    return found


def _of_background(document: Document, node: Node, rules: dict[str, str]) -> Picture | None:
    address = _css_address(node.get("style")) if "background" in node.get("style") else None
    for name in _BACKGROUNDS:
        value = node.get(name)
        address = address or (_css_address(value) if value.startswith("url(") else value or None)
    if address is None and rules:
        keys = [f"#{node.get('id')}", *(f".{name}" for name in node.get("class").split())]
        address = next((rules[key] for key in keys if key in rules), None)
    if not address or node.tag in ("body", "html") or _BLANK_DATA.match(address):
        return None
    return _picture(document, node, [(1.0, address)], is_background=True)


def _css_address(style: str) -> str | None:
    match = _CSS_URL.search(style[:200_000])
    return (match[1] or match[2] or match[3] or None) if match else None


def _background_rules(document: Document) -> dict[str, str]:
    """Read `#id` and `.class` rules with a background picture from the page's style blocks."""
    rules: dict[str, str] = {}
    for style in document.tagged("style"):
        text = document.raw_text(style)[:300_000]
        if "url(" not in text:
            continue
        for selectors, body in _CSS_RULE.findall(text):
            if "background" not in body or not (address := _css_address(body)):
                continue
            for selector in selectors.split(","):
                last = selector.split()[-1:] or [""]
                for key in re.findall(r"[#.][\w-]+", last[0].split(":")[0])[-1:]:
                    rules.setdefault(key, address)
    return rules


def _picture(
    document: Document, node: Node, candidates: list[tuple[float, str]], is_background: bool
) -> Picture | None:
    resolved = [(rank, url) for rank, address in candidates if (url := document.absolute(address))]
    if not resolved:
        return None
    url = max(resolved, key=lambda pair: pair[0])[1]
    if _BLANK_DATA.match(url):
        return None
    link = node.within("a")
    target = document.absolute(link.get("href")) if link is not None else None
    full = _full_address(document, node, link, target)
    label = " ".join(
        text
        for text in (node.get("alt"), node.get("title"), node.get("aria-label"), link.get("title") if link else "")
        if text
    )
    file, folder = _file_and_folder(url)
    return Picture(
        node=node, position=node.start, url=url, full_url=full if full != url else None, alt=label,
        file=file, folder=folder,
        width_px=_pixels(node, "width"), height_px=_pixels(node, "height"),
        link=None if target and is_picture_address(target) else target, is_background=is_background,
    )  # fmt: skip


def _full_address(document: Document, node: Node, link: Node | None, target: str | None) -> str | None:
    for holder in (node, link):
        attrs = holder.attrs if holder is not None else {}
        for name in _FULL:
            if name in attrs and not attrs[name].startswith(("{", "[")):
                return document.absolute(attrs[name])
    return target if target and is_picture_address(target) else None


def is_picture_address(url: str) -> bool:
    """Say whether an address names a picture's file."""
    return bool(_PICTURE_FILE.search(urlsplit(url).path))


def _file_and_folder(url: str) -> tuple[str, str]:
    if url.startswith("data:"):
        return "", ""
    folder, _, file = unquote(urlsplit(url).path).rpartition("/")
    spaced = re.sub(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])", " ", file)
    return fold(spaced), fold(folder.rpartition("/")[2])


def _pixels(node: Node, name: str) -> int | None:
    value = node.get(name) or next(
        iter(re.findall(rf"(?<![-\w]){name}\s*:\s*(\d+)(?:\.\d+)?px", node.get("style")[:500])), ""
    )
    match = re.match(r"(\d{1,5})(px|\.\d+)?\s*;?$", value)
    return int(match[1]) if match else None


def shared_addresses(owners: list[tuple[str, str]]) -> set[str]:
    """Give the addresses that stand for more than one person: a face has one owner.

    Args:
        owners: (picture's address, the name's key) of each record.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for url, key in owners:
        names[url].add(key)
    return {url for url, keys in names.items() if len(keys) > 1}
