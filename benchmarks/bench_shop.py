"""How much of the real item pages is read as their truth says, and how long reading takes.

Peer: Beautiful Soup on lxml, for building the tree of the same page alone.

    GLEANERY_SHARED_DATA=../shared/data python -m benchmarks.bench_shop
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from price_parser import Price

from spiders.pages.aliexpress import original_image_url, read_item, read_listing, read_reviews
from spiders.pages.contract import PageInput

RESULTS = Path(__file__).parent / "results" / "shop.json"
FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "pages"
MANDATORY = ("item_id", "title", "image_urls", "price", "price_discounted", "currency", "colors", "properties")
LIMIT_MS = 100.0
"""What a 500 KB item page may take on one core."""


def item_against_truth(record: Mapping[str, Any], truth: Mapping[str, Any]) -> dict[str, bool]:
    """Compare an item record with the truth of its page, field by field."""
    listed, paid = written_price(truth["price_list"]), written_price(truth["price"])
    specs: dict[str, list[str]] = {}
    for name, value in truth["specs"]:
        specs.setdefault(name, []).append(value)
    return {
        "item_id": record["item_id"] == str(truth["productId"]),
        "title": record["title"] == truth["title"].strip(),
        "image_urls": record["image_urls"] == [original_image_url(url) for url in truth["images"]],
        "price": record["price"] == listed,
        "price_discounted": record["price_discounted"] == (paid if paid != listed else None),
        "currency": record["currency"] == "USD",
        "colors": record["colors"] == true_colors(truth["sku_props"]),
        "properties": record["properties"] == {k: v[0] if len(v) == 1 else v for k, v in specs.items()},
        "rating": record["rating"] == float(truth["stars"]),
        "review_count": record["review_count"] == truth["reviews"],
        "order_count": record["order_count"] == truth["orders"],
        "store": (record["store"]["name"], record["store"]["id"])
        == (truth["store"]["name"], str(truth["store"]["num"])),
        "reviews_url": str(truth["store"]["ownerMemberId"]) in record["reviews_url"],
    }


def written_price(text: str) -> dict[str, float]:
    """Read `US $0.99 - 1.46` by splitting it at its dash."""
    bounds = [float(Price.fromstring(part).amount or 0) for part in text.split(" - ")]
    return {"low": bounds[0], "high": bounds[-1]}


def true_colors(properties: list[dict[str, Any]]) -> list[dict[str, str | None]]:
    """List the values of the property whose name ends in Color."""
    for entry in properties:
        if entry["name"].split()[-1] == "Color":
            return [
                {"name": value["name"], "image_url": value["image"] and original_image_url(value["image"])}
                for value in entry["values"]
            ]
    return []


def best_ms(work: Callable[[], Any], times: int = 5) -> float:
    """Time a call: the least CPU time of several, in milliseconds."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append((time.process_time() - start) * 1000)
    return min(spent)


def grown_pages() -> dict[str, tuple[Callable[[PageInput], Any], str]]:
    """Grow a page of each kind of the tests to half a megabyte, with the reader of each."""

    def page(name: str) -> str:
        return (FIXTURES / name / "input.html").read_text(encoding="utf-8")

    def between(text: str, first: str, last: str) -> str:
        return text[text.index(first) : text.rindex(last)]

    def grown(text: str, piece: str, end: str) -> str:
        return text.replace(end, piece * ((500_000 - len(text)) // len(piece) + 1) + end, 1)

    others = '<div class="p-recommend"><a href="/store/x.html"><img src="a.jpg"></a><p>Words of an item</p></div>\n'
    listing, reviews = page("listing/cards_2018"), page("reviews/evaluation_html")
    feedback = between(reviews, '<div class="feedback-item', "</div></body>")
    return {
        "item": (read_item, grown(page("item/html2018"), others, "</body>")),
        "listing": (read_listing, grown(listing, between(listing, "<li", "</ul>"), "</ul>")),
        "reviews": (read_reviews, grown(reviews, feedback, "</div></body>")),
    }


def measure(folder: Path) -> dict[str, Any]:
    """Read every page of a folder of real pages.

    Args:
        folder: holds items/ with truth.json, search/ and reviews/.
    """
    truths = json.loads((folder / "items" / "truth.json").read_text(encoding="utf-8"))
    right: dict[str, list[bool]] = {}
    times: dict[str, float] = {}
    grown: dict[str, float] = {}
    for name, truth in sorted(truths.items()):
        page = PageInput(
            url=f"https://www.aliexpress.com/item/{truth['productId']}.html",
            body=(folder / "items" / name).read_bytes(),
        )
        for field, is_right in item_against_truth(read_item(page).records[0], truth).items():
            right.setdefault(field, []).append(is_right)
        times[name] = best_ms(lambda page=page: read_item(page))  # type: ignore[misc]
    for name, (read, text) in grown_pages().items():
        page = PageInput(url="https://www.aliexpress.com/item/1.html", body=text.encode())
        grown[name] = round(best_ms(lambda page=page, read=read: read(page)), 2)  # type: ignore[misc]
    largest = max(truths, key=lambda name: (folder / "items" / name).stat().st_size)
    body = (folder / "items" / largest).read_bytes()
    for kind, read in (("search", read_listing), ("reviews", read_reviews)):
        for path in sorted((folder / kind).iterdir()):
            page = PageInput(url="https://www.aliexpress.com/", body=path.read_bytes())
            times[path.name] = best_ms(lambda page=page, read=read: read(page))  # type: ignore[misc]
    return {
        "pages": len(truths),
        "share_by_field": {field: sum(values) / len(values) for field, values in right.items()},
        "mandatory": list(MANDATORY),
        "parse_ms_median": round(statistics.median(times[name] for name in truths), 2),
        "parse_ms_max": round(max(times.values()), 2),
        "limit_ms": LIMIT_MS,
        "half_megabyte_ms": grown,
        "largest_item_page": {
            "bytes": len(body),
            "read_item_ms": round(times[largest], 2),
            "beautiful_soup_tree_ms": round(best_ms(lambda: BeautifulSoup(body, "lxml")), 2),
        },
    }


def main() -> int:
    """Print the shares and times, keep them, and fail below 100 % of a mandatory field or above the time limit."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("GLEANERY_SHARED_DATA", default)) / "aliexpress"
    if not folder.is_dir():
        print(f"no real pages at {folder} (set GLEANERY_SHARED_DATA)", file=sys.stderr)
        return 1
    figures = measure(folder)
    for field, share in figures["share_by_field"].items():
        print(f"{field:18} {share:7.1%}{'  mandatory' if field in MANDATORY else ''}")
    print({name: value for name, value in figures.items() if name != "share_by_field"})
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    is_whole = all(figures["share_by_field"][field] == 1 for field in MANDATORY)
    return 0 if is_whole and figures["parse_ms_max"] < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
