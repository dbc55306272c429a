"""One item's page, of any year."""

from __future__ import annotations

import re
from typing import Any

from catalog.errors import PageBlocked
from spiders.pages.aliexpress.blocked import is_blocked, unreadable, unrecognised
from spiders.pages.aliexpress.dcdata import item_from_shell
from spiders.pages.aliexpress.document import (
    BrokenJson,
    assigned_json,
    first_of,
    page_base,
    page_text,
    select,
    tree,
    whole_json,
    with_query,
)
from spiders.pages.aliexpress.html2018 import item_from_html
from spiders.pages.aliexpress.images import image_url, is_icon_url
from spiders.pages.aliexpress.modules import description_url, find_item_data, item_from_data
from spiders.pages.aliexpress.rendered import item_from_dom
from spiders.pages.contract import PageInput, PageIssue, PageResult

_HTML_IN_SCRIPT = re.compile(r"""window\.productDescription\s*=\s*(["'])(.*)\1\s*;?\s*$""", re.S)


def read_item(page: PageInput) -> PageResult:
    """Read an item page: embedded data of 2019 on, data fetched by its scripts, or the HTML of 2018.

    Returns:
        One record, or none and the issue `fetch_not_found` where the shop says that the item is gone. `pages` are the
        description page (see `description_images`) and the first review page, where the item has them. Formats:
        `runparams`, `components`, `mtop`, `dcdata` (2023 on: `needs_script`, because prices, variants and ratings
        are fetched later and are null or empty here), `rendered` (the same once its scripts have run), `html2018`.

    Raises:
        PageBlocked: a challenge page.
        PageForeign: no item page of this shop.
        SourceChanged: an item page without its id, title, pictures or price; says at which path it was expected.
    """
    text = page_text(page)
    try:
        result = _from_embedded(page, text)
    except BrokenJson as error:
        raise unreadable(page, text, error, "$.data") from error
    root = tree(text) if result is None and "<" in text else None
    if root is not None:
        result = _from_tree(page, text, root)
    if result is None:
        raise unrecognised(page, text)
    return result


def description_images(page: PageInput) -> list[str]:
    """List the pictures of an item's description page in order, as absolute addresses of originals.

    The page is a piece of HTML, or (2018) a script that assigns one to `window.productDescription`.

    Raises:
        PageBlocked: a challenge page.
    """
    text = page_text(page)
    if is_blocked(page, text):
        raise PageBlocked(f"description page {page.url}: a challenge page")
    script = _HTML_IN_SCRIPT.search(text)
    root = tree(re.sub(r"\\(.)", r"\1", script.group(2)) if script else text)
    if root is None:
        return []
    base = page_base(root, page)
    found = (image_url(img.get("src") or img.get("data-src"), base) for img in select(root, "img"))
    return list(dict.fromkeys(url for url in found if url and not is_icon_url(url)))


def read_description(page: PageInput) -> PageResult:
    """Read an item's description page: one record `{"image_urls"}`, or none where it shows no picture.

    Raises:
        PageBlocked: a challenge page.
    """
    urls = description_images(page)
    records = ({"image_urls": urls},) if urls else ()
    return PageResult(kind="description", page_format="description", records=records)


def _embedded(text: str) -> list[Any]:
    whole = whole_json(text)
    if whole is not None:
        return [whole]
    names = ("window.runParams", "window._dida_config_._init_data_", "_init_data_")
    return [value for name in names if name in text for value in assigned_json(text, name)]


def _from_embedded(page: PageInput, text: str) -> PageResult | None:
    for value in _embedded(text):
        found = find_item_data(value)
        gone = first_of(value, "data.redirectModule.code", "redirectModule.code")
        if isinstance(gone, str) and gone != "OK" and not (found and found[0].mandatory_part in found[1]):
            issue = PageIssue(reason="fetch_not_found", where="$.redirectModule.code", detail=gone[:80])
            return PageResult(kind="item", page_format="runparams", issues=(issue,))
        if not found:
            continue
        words, data = found
        record, issues = item_from_data(data, words, page.url)
        return _result(words.page_format, record, description_url(data, words, page.url), issues)
    return None


def _from_tree(page: PageInput, text: str, root: Any) -> PageResult | None:
    rendered = item_from_dom(text, root, page)
    if rendered:
        return _result("rendered", rendered, None, [])
    shell = item_from_shell(text, root, page)
    if shell:
        return _result("dcdata", shell, None, [], needs_script=True)
    found = item_from_html(text, root, page)
    return _result("html2018", found[0], found[1], []) if found else None


def _result(
    page_format: str,
    record: dict[str, Any],
    description: str | None,
    issues: list[PageIssue],
    needs_script: bool = False,
) -> PageResult:
    reviews = record["reviews_url"]
    if reviews and "productEvaluation" in reviews:
        reviews = with_query(reviews, page=1, withPictures="true")
    return PageResult(
        kind="item",
        page_format=page_format,
        records=(record,),
        pages=tuple(url for url in (description, reviews) if url),
        issues=tuple(issues),
        needs_script=needs_script,
    )
