"""Taking buyers out of a page before it is stored: names, ids, portraits, and what they say of themselves."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection

import lxml.html  # type: ignore[import-untyped]

from spiders.pages.aliexpress.document import select, tree

_KEYS = (
    "buyerName", "buyerId", "buyerAliId", "buyerMemberId", "buyerSeq", "buyerHeadPortrait", "buyerAvatar",
    "buyerImage", "buyerGender", "buyerLevel", "buyerUrl", "buyerDetailUrl", "crowdSourcingPersonName",
    "userName", "userId", "userAvatar", "userHeadPortrait", "nickName", "headPortrait", "memberName", "memberId",
)  # fmt: skip
"""Names of JSON values and of table columns; of sellers a page tells by other names."""
_COUNTRY_KEYS = ("buyerCountry", "buyerCountryName")
_MEASURE_KEYS = ("buyerPersonalInfo", "buyerProductFeedBack", "buyerBodyInfo")

_ELEMENTS = (
    ".feedback-item .user-name, .feedback-item [class*=avatar], .feedback-item [class*=portrait],"
    " [class*='list--itemInfo'], [class*='list--itemPhoto'], [class*='list--userName'], input[name*=memberId]"
)
"""Of the review lists of 2018, and of those that newer item pages show in the browser."""
_COUNTRY_ELEMENTS = ".feedback-item .user-country"
_MEASURE_ELEMENTS = ".buyer-personal-info, .buyer-personal-info-item"
_MARKS = re.compile(rb"feedback-item|list--itemInfo|list--itemPhoto|list--userName")

_TABLE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\w+,)*buyer(?:Id|Name|Eval)(?:,\w+)+\r?\n")
_NOTHING = rb'\1""'


def without_buyers(body: bytes, keep: Collection[str] = ()) -> bytes:
    """Blank what tells who a buyer is; everything that the readers read stays as it is.

    Args:
        body: an item's page or a page of reviews, as served, in UTF-8: HTML, JSON, JSONP or the CSV of 2018.
        keep: `country`, `measures`: what a recipe asks for. Names, ids and portraits never stay.

    Returns:
        The same bytes where nothing was found.
    """
    keys = [*_KEYS, *(() if "country" in keep else _COUNTRY_KEYS), *(() if "measures" in keep else _MEASURE_KEYS)]
    if _TABLE.match(body):
        return _table_without(body, keys)
    if b'"buyer' in body or b'"user' in body or b'"crowd' in body:
        body = _value_of(keys).sub(_NOTHING, body)
    if _MARKS.search(body):
        body = _elements_without(body, keep)
    return body


def _value_of(keys: Collection[str]) -> re.Pattern[bytes]:
    named = "|".join(keys)
    return re.compile(rf'("(?:{named})"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?)'.encode())


def _table_without(body: bytes, columns: Collection[str]) -> bytes:
    rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig", "replace").replace("\0", ""), newline=""))
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, rows.fieldnames or [], extrasaction="ignore", lineterminator="\n")
    try:
        table.writeheader()
        table.writerows({k: "" if k in columns else v for k, v in row.items() if k is not None} for row in rows)
    except csv.Error:
        return b""  # nothing that cannot be read may be kept
    return written.getvalue().encode()


def _elements_without(body: bytes, keep: Collection[str]) -> bytes:
    root = tree(body.decode("utf-8", "replace"))
    if root is None:
        return body
    selectors = [_ELEMENTS]
    selectors += [] if "country" in keep else [_COUNTRY_ELEMENTS]
    selectors += [] if "measures" in keep else [_MEASURE_ELEMENTS]
    for element in select(root, ", ".join(selectors)):
        if element.getparent() is not None:
            element.drop_tree()
    return bytes(lxml.html.tostring(root.getroottree(), encoding="utf-8"))
