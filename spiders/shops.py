"""Choosing within shops: some categories, the first so many items, or single items."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from catalog.errors import UsageError
from spiders.declare import source_of_url
from spiders.probe import is_address
from spiders.site import is_same_site
from spiders.sources import Source


def of_categories(chosen: Sequence[Source], categories: Sequence[str]) -> list[Source]:
    """Keep the categories that are named.

    Args:
        chosen: sources of shops; one for each category.
        categories: names as the declarations have them; empty keeps all.

    Raises:
        UsageError: a category that no chosen shop has; lists those that there are.
    """
    if not categories:
        return list(chosen)
    known = sorted({str(source.label) for source in chosen if source.shop})
    unknown = [name for name in categories if name not in known]
    if unknown:
        raise UsageError(f"no category {', '.join(unknown)}, expected some of: {', '.join(known) or '(none)'}")
    return [source for source in chosen if source.shop and source.label in categories]


def with_limits(chosen: Sequence[Source], *, pages: int | None, max_items: int | None) -> list[Source]:
    """Read fewer pages of each list, and fewer items, than the declarations say; then fewer are expected, too.

    Raises:
        UsageError: limits for what is no shop.
    """
    limits = {"max_listing_pages": pages, "max_items": max_items}
    given: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    staff = [source.name for source in chosen if source.kind != "shop"]
    if given and staff:
        raise UsageError(f"--pages and --max-items are for shops; no shop: {', '.join(staff)}")
    if pages is not None:
        given["expected_min"] = 1  # how many items a page shows is the shop's business
    return [
        dataclasses.replace(
            source, **{"expected_min": min(source.expected_min, max_items or source.expected_min)} | given
        )
        for source in chosen
    ]


def item_sources(sources: Mapping[str, Source], shops: Sequence[str], targets: Sequence[str]) -> list[Source]:
    """Make a source of each single item, with the pace and rules of its shop.

    Args:
        sources: all that are declared.
        shops: names of shops; empty finds the shop of an address by its site.
        targets: addresses of item pages, or item ids.

    Raises:
        UsageError: no such shop, an id without one shop, or something that is neither id nor item page.
    """
    named = {source.shop or source.name: source for source in sources.values() if source.kind == "shop"}
    unknown = [shop for shop in shops if shop not in named]
    if unknown:
        raise UsageError(f"no shop {', '.join(unknown)}, expected one of: {', '.join(sorted(named)) or '(none)'}")
    known = {name: named[name] for name in shops} if shops else named
    return [_item_source(known, target) for target in targets]


def _item_source(shops: Mapping[str, Source], target: str) -> Source:
    from spiders.pages.aliexpress import item_id_in

    if is_address(target):
        item_id, url = item_id_in(target), target.partition("#")[0]
        if item_id is None:
            raise UsageError(f"expected the address of an item's page (.../item/<id>.html), found {target!r}")
        homes = [name for name, source in shops.items() if is_same_site(target, source.start_urls)]
        if not homes:  # a shop that nobody declared
            return dataclasses.replace(source_of_url(url, kind="shop"), name=f"item-{item_id}", expected_min=1)
    elif target.isdecimal():
        homes = list(shops)
        if len(homes) != 1:
            raise UsageError(f"item {target}: say which shop: {', '.join(sorted(homes)) or '(none is declared)'}")
        item_id, url = target, urljoin(shops[homes[0]].url, f"/item/{target}.html")
    else:
        raise UsageError(f"expected an item's id or the address of its page, found {target!r}")
    home = shops[homes[0]]
    return dataclasses.replace(
        home, name=f"{homes[0]}-item-{item_id}", url=url, more_urls=(), categories={}, shop=homes[0],
        label=None, title=f"{homes[0]}, item {item_id}", expected_min=1, expected_max=None,
    )  # fmt: skip
