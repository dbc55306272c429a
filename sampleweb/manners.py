"""Which site behaves how: robots.txt, delays, redirects, errors that heal, an endless calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sampleweb.people import Listing
from sampleweb.sites import Manners, Site

CRAWL_DELAY_S = 0.05
SLOW_S = 1.0


def _good_portraits(site: Site, listings: Sequence[Listing]) -> list[str]:
    portraits = [listing.portrait for listing in listings if listing.site == site.name]
    return [portrait.path for portrait in portraits if portrait is not None and portrait.spoil is None]


def give_manners(sites: Sequence[Site], listings: Sequence[Listing]) -> list[Site]:
    """Give the staff sites their manners: those of the first twelve, so that a tiny world has them all.

    The address in `Site.start` is where a crawl begins; on the redirecting site it is the old one.
    """
    portraits = {site.name: _good_portraits(site, listings) for site in sites}

    def portrait(place: int, number: int) -> str:
        return portraits[sites[place].name][number]

    robots = "User-agent: *\nDisallow: /intern/\nDisallow: /calendar/\n"
    moved = portrait(4, 0)
    planned = {
        0: Manners(robots=robots, forbidden=("/intern/", "/calendar/"), has_calendar=True),
        1: Manners(robots=f"User-agent: *\nCrawl-delay: {CRAWL_DELAY_S}\nAllow: /\n", crawl_delay_s=CRAWL_DELAY_S),
        2: Manners(robots="User-agent: *\nDisallow:\n", has_calendar=True, slow_s={portrait(2, 0): SLOW_S}),
        4: Manners(redirects={"/alt/personal.php": sites[4].start, moved: moved + "?v=2"}),
        5: Manners(busy_once=frozenset({sites[5].start, portrait(5, 0)})),
        6: Manners(broken_once=frozenset({sites[6].start, portrait(6, 0)})),
        8: Manners(redirects={"/": sites[8].start}, slow_s={sites[8].start: SLOW_S}),
    }
    mannered = [replace(site, manners=planned.get(place, Manners())) for place, site in enumerate(sites)]
    mannered[4] = replace(mannered[4], start="/alt/personal.php")
    return mannered
