"""Sources: what to collect, declared in a TOML of a few lines.

A file `<name>.toml` holds `[source]`, and where needed `[source.hints]` (CSS hints, see docs/add-a-source.md),
`[source.expected]` (min, max) and `[source.categories]`: a shop with categories stands for one source each, named
`<name>-<category>`. The ones that ship stand beside this module in `sources/`; a data root may hold more.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from catalog.errors import UsageError
from spiders.policy import address, pace

SHIPPED = Path(__file__).parent / "sources"
"""Folder of the declarations that ship."""

KINDS = ("staff", "shop")
RENDERS = ("never", "auto", "always")
PROFILES = ("never", "auto", "always")
BUYER_FACTS = ("country", "measures")
"""What may be kept of reviews beside their photos, where a recipe or a source asks for it."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One declared site or listing.

    Raises:
        UsageError: a value that cannot be, or a delay under the floor; says what was expected.
    """

    name: str
    """Lower-case slug; also the name of its file and of its landing folder."""
    kind: str
    """`staff` (people of a site) or `shop` (items of a listing)."""
    url: str
    """Where the crawl begins."""
    more_urls: tuple[str, ...] = ()
    """Further beginnings of the same site."""
    title: str = ""
    label: str | None = None
    """Class of everybody on a staff site: the field of study."""
    organisation: str | None = None
    """Who runs the site."""
    render: str = "never"
    """When the browser is used: `never`, `auto` (where the plain page holds no persons but runs scripts), `always`."""
    profiles: str = "auto"
    """When people's own pages are read: `never`, `auto` (where the list lacks portrait or role, or shows a portrait
    small), `always` (for second photos)."""
    allow_loopback: bool = False
    """The site is on this machine; then nothing but loopback is contacted."""
    delay_s: float = pace.PUBLIC_DELAY_S
    """Least time between two requests to one host; a longer Crawl-delay wins."""
    concurrency: int = 4
    """Open requests per host, 1..16; the delay binds all the same."""
    max_pages: int = 500
    max_depth: int = 20
    """Steps from a beginning; 0 reads the beginnings alone."""
    hints: Mapping[str, Any] = field(default_factory=dict)
    """CSS selectors that override steps of the reader."""
    categories: Mapping[str, str] = field(default_factory=dict)
    """Of a shop: category to the address of its list, relative to `url`; see `by_category`."""
    shop: str = ""
    """The declaration that a category or an item was made from; in no file."""
    max_listing_pages: int | None = None
    """Of a shop: pages of a list; None reads the list to its end."""
    max_items: int | None = None
    """Of a shop: the first so many items of a list; None takes all."""
    max_review_pages: int | None = None
    """Of a shop: pages of reviews per item; None reads them to their end."""
    with_descriptions: bool = False
    """Of a shop: read the description pages of items too, for further pictures."""
    buyer_facts: tuple[str, ...] = ()
    """Of a shop: names of BUYER_FACTS to keep; by default nothing that buyers say of themselves."""
    expected_min: int = 1
    """Fewer people (of a shop: items) than this and the run is rejected."""
    expected_max: int | None = None
    """More than this are reported, not refused."""
    is_enabled: bool = True
    """False while the address is only supposed; such a source is never part of "all"."""
    verified_at: str = ""
    """When a check last confirmed the address, from a machine with internet."""
    reference: str = ""
    """Where the address is known from."""

    def __post_init__(self) -> None:
        _expect(bool(_NAME.fullmatch(self.name)), self, "name", "a slug of a-z, 0-9, - and _", self.name)
        _expect(self.kind in KINDS, self, "kind", f"one of {', '.join(KINDS)}", self.kind)
        _expect(self.render in RENDERS, self, "render", f"one of {', '.join(RENDERS)}", self.render)
        _expect(self.profiles in PROFILES, self, "profiles", f"one of {', '.join(PROFILES)}", self.profiles)
        for url in self.start_urls:
            parts = urlsplit(url)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
            _expect(is_web, self, "url", "an absolute http or https address", url)
        floor = pace.floor_s(self.allow_loopback)
        is_paced = floor <= self.delay_s <= pace.MAX_WAIT_S
        _expect(is_paced, self, "delay_s", f"{floor} to {pace.MAX_WAIT_S} seconds", self.delay_s)
        _expect(1 <= self.concurrency <= 16, self, "concurrency", "1 to 16", self.concurrency)
        _expect(self.max_pages >= 1, self, "max_pages", "at least 1", self.max_pages)
        _expect(self.max_depth >= 0, self, "max_depth", "at least 0", self.max_depth)
        self._expect_shop()
        _expect(self.expected_min >= 0, self, "expected.min", "at least 0", self.expected_min)
        is_range = self.expected_max is None or self.expected_max >= self.expected_min
        _expect(is_range, self, "expected.max", "at least expected.min", self.expected_max)

    def _expect_shop(self) -> None:
        for name in ("max_listing_pages", "max_items", "max_review_pages"):
            value = getattr(self, name)
            _expect(value is None or value >= 1, self, name, "at least 1", value)
        unknown = [name for name in self.buyer_facts if name not in BUYER_FACTS]
        _expect(not unknown, self, "buyer_facts", f"some of {', '.join(BUYER_FACTS)}", unknown)
        for category, address_of in self.categories.items():
            name = f"{self.name}-{category}"
            _expect(self.kind == "shop", self, "categories", "a source of kind shop", self.kind)
            _expect(bool(_NAME.fullmatch(name)), self, "categories", "slugs of a-z, 0-9, - and _", category)
            _expect(bool(address_of), self, f"categories.{category}", "an address", address_of)

    def by_category(self) -> list[Source]:
        """Give one source for each category, with its own runs: what one holds does not hang on the others.

        A declaration without categories stands for itself.
        """
        if not self.categories:
            return [self]
        return [
            dataclasses.replace(
                self, name=f"{self.name}-{category}", url=urljoin(self.url, where), label=category, categories={},
                shop=self.name, title=f"{self.title}: {category}" if self.title else "",
            )
            for category, where in self.categories.items()
        ]  # fmt: skip

    @property
    def start_urls(self) -> tuple[str, ...]:
        """All beginnings."""
        return (self.url, *self.more_urls)

    @property
    def host(self) -> str:
        """Host of the first beginning."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_on_loopback(self) -> bool:
        """Nothing beyond this machine can be contacted."""
        return self.allow_loopback and all(address.is_loopback_host(urlsplit(url).hostname) for url in self.start_urls)

    def facts(self) -> dict[str, Any]:
        """What a run record keeps of its source."""
        names = ("title", "url", "kind", "label", "organisation", "expected_min", "expected_max")
        return {name: getattr(self, name) for name in names}


def _expect(holds: bool, source: Source, name: str, expected: str, found: object) -> None:
    if not holds:
        raise UsageError(f"source {source.name!r}: {name}: expected {expected}, found {found!r}")


_TOML_NAMES = {"is_enabled": "enabled"}
_FIELDS = {
    _TOML_NAMES.get(f.name, f.name): f
    for f in dataclasses.fields(Source)
    if not f.name.startswith("expected_") and f.name != "shop"
}
_TYPES: dict[str, tuple[type, ...]] = {
    "allow_loopback": (bool,), "enabled": (bool,), "delay_s": (int, float), "concurrency": (int,),
    "max_pages": (int,), "max_depth": (int,), "hints": (dict,), "more_urls": (list,), "categories": (dict,),
    "max_listing_pages": (int,), "max_items": (int,), "max_review_pages": (int,), "with_descriptions": (bool,),
    "buyer_facts": (list,),
}  # fmt: skip


def read_source(path: Path) -> Source:
    """Read one declaration.

    Raises:
        UsageError: no TOML, an unknown key, a wrong type or a value that cannot be; names the file.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as TOML: {error}") from error
    _only(path, "", document, {"source"})
    table = document.get("source")
    if not isinstance(table, dict):
        raise UsageError(f"{path}: expected a table [source]")
    expected = table.pop("expected", {})
    if not isinstance(expected, dict):
        raise UsageError(f"{path}: [source.expected] must be a table with min and max")
    _only(path, "source.", table, set(_FIELDS))
    _only(path, "source.expected.", expected, {"min", "max"})
    table.setdefault("name", path.stem)
    values = {_FIELDS[key].name: _typed(path, key, value) for key, value in table.items()}
    values |= {f"expected_{key}": _typed(path, f"expected.{key}", value, (int,)) for key, value in expected.items()}
    try:
        source = Source(**values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    except TypeError:
        missing = sorted({"kind", "url"} - values.keys())
        raise UsageError(f"{path}: [source] lacks {', '.join(missing)}") from None
    if source.name != path.stem:
        raise UsageError(f"{path}: name must be the file's stem {path.stem!r}, found {source.name!r}")
    return source


def _only(path: Path, prefix: str, table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{path}: unknown key {prefix}{key}, expected one of {', '.join(sorted(known))}")


def _typed(path: Path, key: str, value: Any, types: tuple[type, ...] | None = None) -> Any:
    types = types or _TYPES.get(key, (str,))
    is_right = isinstance(value, types) and (isinstance(value, bool) == (bool in types))
    if is_right and key in ("more_urls", "buyer_facts", "categories"):
        is_right = all(isinstance(part, str) for part in (value.values() if key == "categories" else value))
        value = value if key == "categories" else tuple(value)
    if not is_right:
        names = " or ".join(t.__name__ for t in types)
        raise UsageError(f"{path}: source.{key} must be of type {names}, found {value!r}")
    return float(value) if types == (int, float) else value


def load_sources(folders: Iterable[Path]) -> dict[str, Source]:
    """Read all declarations of some folders, sorted by name, shops by category; a missing folder holds none.

    Raises:
        UsageError: a declaration that cannot be read, or a name that two files declare.
    """
    found: dict[str, tuple[Path, Source]] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        for source in read_source(path).by_category():
            if source.name in found:
                raise UsageError(f"source {source.name!r} is declared twice: {found[source.name][0]} and {path}")
            found[source.name] = (path, source)
    return {name: found[name][1] for name in sorted(found)}


def find_source(name: str, folders: Iterable[Path]) -> Source:
    """Find one declaration by name.

    Raises:
        UsageError: there is none; names those that are near.
    """
    import difflib

    sources = load_sources(folders)
    if name in sources:
        return sources[name]
    near = difflib.get_close_matches(name, sources, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; {len(sources)} sources are declared"
    raise UsageError(f"no source {name!r}{hint}")


def to_toml(source: Source) -> str:
    """Write a declaration that `read_source` reads back to an equal source; defaults are left out."""
    lines = ["[source]"]
    tables: list[str] = []
    for name, spec in _FIELDS.items():
        value = getattr(source, spec.name)
        default = spec.default_factory() if callable(spec.default_factory) else spec.default
        if value == default or value is None or name == "name":
            continue
        if isinstance(value, Mapping):
            tables += ["", f"[source.{name}]", *(f"{key} = {_toml_value(item)}" for key, item in value.items())]
        else:
            lines.append(f"{name} = {_toml_value(value)}")
    lines += ["", "[source.expected]", f"min = {source.expected_min}"]
    if source.expected_max is not None:
        lines.append(f"max = {source.expected_max}")
    return "\n".join([*lines, *tables]) + "\n"


def _toml_value(value: Any) -> str:
    """Write a scalar or a list; JSON's text, numbers and booleans are TOML's."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
