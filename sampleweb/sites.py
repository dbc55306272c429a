"""The planned sites: address, structure, label and manners of each; no people yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sampleweb.names import DEPARTMENTS, FIELDS, UNIVERSITIES
from sampleweb.structures import STRUCTURES

FIRST_HOST, SHOP_HOST = 11, 80
MEDIA_FOLDERS = ("/media/", "/fileadmin/user_upload/", "/images/staff/", "/wp-content/uploads/2024/05/")
STRUCTURE_PLAN = (
    "cards", "table", "list_profiles", "javascript", "definition_list", "alternating", "letters", "paged",
    "lazy", "picture", "background", "tabs", "cards", "table", "list_profiles", "javascript", "cards", "table",
    "list_profiles", "paged", "alternating", "definition_list", "letters", "javascript", "cards", "lazy",
    "tabs", "table", "list_profiles", "picture", "background", "cards",
)  # fmt: skip
"""Structure of each staff site; every structure is among the first twelve, so that a tiny world has all of them."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a site behaves beside showing its pages; paths begin with a slash."""

    robots: str | None = None
    """Body of robots.txt; None answers 404."""
    forbidden: tuple[str, ...] = ()
    """Path prefixes that robots.txt disallows."""
    crawl_delay_s: float | None = None
    has_calendar: bool = False
    """An endless /calendar/YEAR/MONTH/ is linked from every page."""
    redirects: Mapping[str, str] = field(default_factory=dict)
    busy_once: frozenset[str] = frozenset()
    """Answer 429 with Retry-After: 1 the first time."""
    broken_once: frozenset[str] = frozenset()
    """Answer 503 the first time."""
    slow_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds to wait before the answer."""
    challenge: frozenset[str] = frozenset()
    """Answer a captcha page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One address of the sample web."""

    name: str
    host: str
    kind: str
    """`staff` or `shop`."""
    structure: str
    label: str
    """Field of study, or category of the shop."""
    organisation: str
    title: str
    language: str
    start: str
    """Path where a crawl begins; may redirect."""
    expected_count: int
    """People listed, or items offered."""
    media: str = "/media/"
    manners: Manners = Manners()


def university_count(scale: float) -> int:
    """Give how many universities a world of this scale has: 3 to 8, four departments each."""
    return max(3, min(len(UNIVERSITIES), round(len(UNIVERSITIES) * scale**0.4)))


def plan_site(place: int, expected_count: int) -> Site:
    """Give the staff site at a place of the plan, without manners.

    Args:
        place: 0..31; four departments of one university follow each other.
        expected_count: people that it will list.
    """
    university = place // 4
    label = FIELDS[(place + university) % 4]
    language, organisation_title = UNIVERSITIES[university]
    structure = STRUCTURE_PLAN[place]
    return Site(
        name=f"sample-uni{university + 1}-{label}",
        host=f"127.0.0.{FIRST_HOST + place}",
        kind="staff",
        structure=structure,
        label=label,
        organisation=f"uni{university + 1}",
        title=f"{DEPARTMENTS[language][label]}, {organisation_title}",
        language=language,
        start=STRUCTURES[structure].start,
        expected_count=expected_count,
        media=MEDIA_FOLDERS[place % len(MEDIA_FOLDERS)],
    )
