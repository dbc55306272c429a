"""Saying why a page gave no data: a challenge, a page of another kind or site, or broken JSON."""

from __future__ import annotations

import re

from catalog.errors import PageBlocked, PageForeign, SourceChanged
from spiders.pages.aliexpress.document import BrokenJson
from spiders.pages.contract import PageInput

_MARKS = re.compile(
    r"_____tmd_____|x5secdata|x5step=|sufei-punish|rgv587_flag|baxia-punish"
    r"|\"ret\"\s*:\s*\[\s*\"(?:FAIL_SYS_USER_VALIDATE|FAIL_SYS_TRAFFIC_LIMIT|RGV587)"
    r"|id=[\"']?(?:nocaptcha|nc_1_wrapper)\b|action[\"']?\s*:\s*[\"']captcha"
    r"|<title>\s*(?:Captcha Interception|Security Verification|Punish)",
    re.IGNORECASE,
)
"""What only a challenge holds; the scripts that may meet one (`baxia-entry`, `AWSC`) stand on every good page too, and
name its answers (`RGV587_ERROR`), which count only where they are the answer."""


def is_blocked(page: PageInput, text: str) -> bool:
    """Tell whether a page is a challenge, punish or captcha page.

    Args:
        page: for its address, which a redirect to a challenge leaves its mark in.
        text: the decoded page.
    """
    return "/punish" in page.url or _MARKS.search(page.url) is not None or _MARKS.search(text) is not None


def unrecognised(page: PageInput, text: str) -> PageBlocked | PageForeign:
    """Make the error for a page that no format fits."""
    if is_blocked(page, text):
        return PageBlocked(f"{page.url}: a challenge page, the shop does not want us now")
    return PageForeign(f"{page.url}: none of the shop's formats for this kind of page")


def unreadable(page: PageInput, text: str, error: BrokenJson, where: str) -> PageBlocked | SourceChanged:
    """Make the error for a page whose data is cut or malformed.

    Args:
        page: the page.
        text: the decoded page.
        error: what the JSON reader found.
        where: the path at which whole JSON was expected.
    """
    if is_blocked(page, text):
        return PageBlocked(f"{page.url}: a challenge page, the shop does not want us now")
    return SourceChanged(f"{page.url}: expected JSON at {where}, found {error}")
