"""Reviews with buyers' photos. Who wrote them is never read: no name, id or portrait leaves this module."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate
from typing import Any
from urllib.parse import urlsplit

from catalog.errors import SourceChanged
from catalog.ids import short_id
from spiders.pages.aliexpress.blocked import is_blocked, unreadable, unrecognised
from spiders.pages.aliexpress.document import (
    BrokenJson,
    first_of,
    first_text,
    nested,
    next_page,
    page_base,
    page_text,
    plain,
    select,
    text_in,
    tree,
    whole_json,
)
from spiders.pages.aliexpress.images import image_url, image_urls
from spiders.pages.aliexpress.money import read_count, read_number, read_rating
from spiders.pages.aliexpress.variants import ordered_variant, split_order_line
from spiders.pages.contract import PageInput, PageIssue, PageResult

_EMPTY = ".feedback-list-wrap, #transction-feedback, .no-feedback, .feedback-container, .rating-detail"
"""What a page of the 2018 review list has even without a review (`transction` is the shop's own spelling)."""

_COLUMNS = frozenset({"buyerEval", "evalDate", "skuInfo"})
_LISTS = ("evaViewList", "reviews", "feedbackList", "evaluations")
_ADDRESS = re.compile(r"https?://[^\s'\",\]]+")
_WIDTH = re.compile(r"width:\s*(\d{1,3}(?:\.\d+)?)\s*%")


def read_reviews(page: PageInput, with_measures: bool = False) -> PageResult:
    """Read one page of an item's reviews.

    Args:
        page: the page.
        with_measures: also give `measures`, what buyers say of their bodies (`{"Height": "165cm", ...}`).

    Returns:
        Records `{"review_id", "country", "rating", "date", "text", "color", "size", "image_urls"}` in page order.
        `color` and `size` are the order line's own words (see `match_color`), `date` is ISO where it is written in
        English and the page's own words otherwise. `pages` is the next page of reviews: by the page's own count, else
        the next number until a page holds none. Formats: `evaluation_html`, `evaluation_json`, `dump2018`.

    Raises:
        PageBlocked: a challenge page.
        PageForeign: no reviews of this shop.
        SourceChanged: reviews without ratings or dates.
    """
    text = page_text(page)
    try:
        whole = whole_json(text)
    except BrokenJson as error:
        raise unreadable(page, text, error, "$.data.evaViewList") from error
    result = _from_json(page, whole) if whole is not None else _from_csv(page, text)
    root = tree(text) if result is None and whole is None and "<" in text else None
    if root is not None and not is_blocked(page, text):
        result = _from_tree(page, root)
    if result is None:
        raise unrecognised(page, text)
    if with_measures:
        return result
    return replace(result, records=tuple({k: v for k, v in r.items() if k != "measures"} for r in result.records))


def _from_json(page: PageInput, data: Any) -> PageResult | None:
    found = _evaluations(data)
    if found is None:
        return None
    path, entries, frame = found
    current, last = read_count(frame.get("currentPage")), read_count(frame.get("totalPage"))
    following = () if last is not None and (current or 1) >= last else next_page(page.url, current or None)
    return _result(page, "evaluation_json", entries, f"$.{path}", following)


def _evaluations(data: Any) -> tuple[str, list[Any], dict[str, Any]] | None:
    """Find the list of reviews and the object around it, which counts the pages."""
    for frame in nested({"": data} if isinstance(data, list) else data):
        for key, entries in frame.items():
            if isinstance(entries, list) and (key == "evaViewList" or any(map(_is_evaluation, entries[:5]))):
                return key or "[*]", entries, frame
        if "productEvaluationStatistic" in frame and not any(key in frame for key in _LISTS):
            return "evaViewList", [], frame
    return None


def _is_evaluation(entry: Any) -> bool:
    return isinstance(entry, dict) and "evalDate" in entry and ("buyerEval" in entry or "buyerFeedback" in entry)


def _from_csv(page: PageInput, text: str) -> PageResult | None:
    if not set(text[:2000].partition("\n")[0].strip().split(",")) >= _COLUMNS:
        return None
    try:
        rows: list[Any] = list(csv.DictReader(io.StringIO(text.replace("\0", ""), newline="")))
    except csv.Error as error:
        raise SourceChanged(f"{page.url}: expected a CSV table of reviews, found {error}") from error
    for row in rows:
        for name in ("images", "thumbnail"):
            row[name] = _ADDRESS.findall(row.get(name) or "")
    return _result(page, "dump2018", rows, "row ", ())


def _result(
    page: PageInput, page_format: str, entries: list[Any], where: str, following: tuple[str, ...]
) -> PageResult:
    """Turn review data into records; an odd one is an issue, nothing but odd ones is a changed source."""
    records = []
    issues = []
    for position, entry in enumerate(entries):
        record = _record(entry, page.url) if isinstance(entry, dict) else None
        if record:
            records.append(record)
        else:
            place = f"{where}{position}" if where.endswith(" ") else f"{where}[{position}]"
            issues.append(PageIssue(reason="record_odd", where=place, detail="neither rating nor date"))
    if issues and not records:
        raise SourceChanged(f"{page.url}: expected ratings and dates at {where}[*].buyerEval and evalDate, found none")
    return PageResult(
        kind="reviews",
        page_format=page_format,
        records=tuple(records),
        pages=following if records else (),
        issues=tuple(issues),
    )


def _record(entry: dict[str, Any], url: str) -> dict[str, Any] | None:
    percent = read_number(entry.get("buyerEval"))
    rating = read_rating(percent / 20 if percent is not None else first_of(entry, "starRating", "star", "rating"))
    date = read_date(entry.get("evalDate"))
    if rating is None and date is None:
        return None
    line = entry.get("skuInfo")
    pictures = image_urls(entry.get("images") or entry.get("thumbnails") or entry.get("thumbnail"), url)
    added = image_urls(entry.get("buyerAddFbImages") or entry.get("buyerAddFbThumbnails"), url)
    text = entry.get("buyerFeedback")
    number = plain(first_of(entry, "evaluationIdStr", "evaluationId"))
    facts = {"country": plain(entry.get("buyerCountry")), "rating": rating, "date": date, "text": _words(text)}
    return _review(number, facts, line if isinstance(line, str) else "", [*pictures, *added])


def _review(
    number: str | None, facts: dict[str, Any], line: str, pictures: list[str], measures: dict[str, str] | None = None
) -> dict[str, Any]:
    color, size = ordered_variant(split_order_line(line))
    # Without an id of its own a review is known by what it says; that holds nothing of the buyer.
    made = short_id("review", facts["date"], str(facts["rating"]), facts["text"], line.strip(), *pictures)
    return {
        "review_id": number or made,
        **facts,
        "color": color,
        "size": size,
        "image_urls": list(dict.fromkeys(pictures)),
        "measures": measures or {},
    }


def _words(text: Any) -> str:
    return text.strip() if isinstance(text, str) else ""


def read_date(text: Any) -> str | None:
    """Read an English date (`16 Oct 2018 22:16`) as an ISO date; other words are given as they stand."""
    written = plain(text)
    if not written:
        return None
    try:
        parts = parsedate(written) or parsedate(f"{written} 00:00")
    except (ValueError, IndexError, TypeError, OverflowError):
        parts = None
    if not parts or not (1990 < parts[0] < 2100 and 1 <= parts[1] <= 12 and 1 <= parts[2] <= 31):
        return written
    return f"{parts[0]:04d}-{parts[1]:02d}-{parts[2]:02d}"


def _from_tree(page: PageInput, root: Any) -> PageResult | None:
    items = select(root, "div.feedback-item")
    if not items:
        known = select(root, _EMPTY) or "productEvaluation" in urlsplit_path(page.url)
        if not known:
            return None
        return PageResult(kind="reviews", page_format="evaluation_html")
    base = page_base(root, page)
    records = [record for record in (_review_in(item, base) for item in items) if record]
    if not records:
        raise SourceChanged(
            f"{page.url}: expected .star-view span[style] or .r-time in div.feedback-item, found neither"
        )
    odd = PageIssue(reason="record_odd", where="div.feedback-item", detail="neither rating nor date")
    return PageResult(
        kind="reviews",
        page_format="evaluation_html",
        records=tuple(records),
        pages=next_page(page.url),
        issues=(odd,) * (len(items) - len(records)),
    )


def urlsplit_path(url: str) -> str:
    """Give the path of an address; empty where it is none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _review_in(item: Any, base: str) -> dict[str, Any] | None:
    widths = [_WIDTH.search(span.get("style")) for span in select(item, ".star-view span[style]")]
    rating = next((read_rating(float(width.group(1)) / 20) for width in widths if width), None)
    date = read_date(first_text(item, "dd.r-time, .r-time, .r-time-new"))
    if rating is None and date is None:
        return None
    pictures = (
        image_url(entry.get("data-src") or next((img.get("src") for img in entry.iter("img")), None), base)
        for entry in select(item, "li.pic-view-item")
    )
    numbers = [field.get("value") for field in select(item, "input.feedback-id[value]")] + [item.get("data-id")]
    facts = {"country": _country(item), "rating": rating, "date": date, "text": _feedback(item)}
    line = " ".join(text_in(part) for part in select(item, ".user-order-info > span"))
    return _review(
        next((number for number in map(plain, numbers) if number), None),
        facts,
        line or first_text(item, ".user-order-info") or "",
        [url for url in pictures if url],
        dict(_measures(item)),
    )


def _measures(item: Any) -> Iterator[tuple[str, str]]:
    """Give what the buyer says of their body, by name."""
    for entry in select(item, "span.buyer-personal-info-item"):
        parts = re.split(r"\s*[:：]\s*", text_in(entry), maxsplit=1)
        if len(parts) == 2 and all(parts):
            yield parts[0], parts[1]


def _country(item: Any) -> str | None:
    for element in select(item, ".user-country"):
        words = text_in(element)
        flags = re.findall(r"\bcss_([a-z]{2})\b", " ".join(element.xpath(".//@class")))
        return words or (flags[0].upper() if flags else None)
    return None


def _feedback(item: Any) -> str:
    """Give what the buyer wrote first, without the time that newer pages put beside it."""
    for element in select(item, "dt.buyer-feedback"):
        spans = [span for span in select(element, "span") if "r-time-new" not in (span.get("class") or "")]
        return " ".join(text_in(span) for span in spans) if spans else text_in(element)
    return ""
