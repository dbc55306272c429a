"""Tell a challenge, captcha or punish page from a page that answers.

Such a page means that the source does not want us now. Readers raise `PageBlocked` for it; nobody solves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from spiders.pages.contract import PageInput

MAX_CHALLENGE_BYTES = 1_000_000
"""A challenge is a small document (a few kB, some 150 kB with its scripts inlined); larger ones are real pages."""

MAX_CHALLENGE_CHARS = 1_500
"""Visible characters: a challenge says a few sentences. A page that says more and merely has a captcha in its contact
form is an ordinary page."""

_CERTAIN = (
    b"_____tmd_____",  # AliExpress, Taobao: punish
    b"x5secdata",
    b"fail_sys_user_validate",
    b"rgv587_error",
    b"baxia-punish",
    b"sufei-punish",
    b"_cf_chl_opt",  # Cloudflare
    b"cf-chl-widget",
    b"cdn-cgi/challenge-platform/h/",
    b"cf-browser-verification",
    b"captcha-delivery.com",  # DataDome
    b"px-captcha",  # PerimeterX
    b"incapsula incident id",  # Imperva
    b"awswafcookiedomainlist",  # AWS WAF
    b"gokuprops",
    b"distil_r_captcha",
    b"sucuri_cloudproxy_js",
    b"anubis_challenge",
    b"/.within.website/x/cmd/anubis",
    b"ddos-guard/js-challenge",
)
"""Parts that only the challenge itself carries."""

_INJECTED = (b"_incapsula_resource", b"cdn-cgi/challenge-platform", b"/akam/", b"perimeterx", b"datadome.co")
"""Parts that guards also put into the pages they let through: a challenge only where the page says next to nothing."""

MAX_EMPTY_CHARS = 100

_WIDGETS = (b"captcha", b"cf-turnstile", b"geetest", b"nc_wrapper", b"slider-verify")

_SAYS = re.compile(
    r"(are|you.?re|you are) (not )?(a |an )?(robot|human|bot)\b|not a (ro)?bot|verif\w+ (that )?you|unusual traffic"
    r"|human verification|security (check|verification)|captcha|access (to this page )?(has been |is )?denied"
    r"|just a moment|checking (your|the) browser|attention required|robot check|slide to verify"
    r"|kein roboter|sicherheits(über)?prüfung|sicherheitsabfrage|no (soy|eres) un robot|pas un robot"
    r"|验证码|安全验证|滑动验证|人机验证|ロボットでは",
    re.IGNORECASE,
)

_TITLES = re.compile(
    r"^\W*(just a moment|attention required|robot check|captcha interception|human verification|security check\b"
    r"|making sure you.re not a bot|ddos.guard|pardon our interruption|access denied|verify you are human"
    r"|client challenge|are you (a )?(human|robot)|nur einen moment|un instant|un momento)",
    re.IGNORECASE,
)

_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,300})", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_SILENT = re.compile(r"<(!--|script|style|noscript|svg)", re.IGNORECASE)


def is_challenge(page: PageInput) -> bool:
    """Say whether a server answered with a challenge instead of the page.

    Args:
        page: HTML or JSON; whatever its bytes are, the answer takes linear time.
    """
    if page.headers.get("cf-mitigated", "").strip().lower() == "challenge":
        return True
    if len(page.body) > MAX_CHALLENGE_BYTES:
        return False
    lowered = page.body.lower()
    certain = any(mark in lowered for mark in _CERTAIN)
    widget = any(mark in lowered for mark in _WIDGETS)
    html = page.body.decode("utf-8", "replace")
    title = _TITLE.search(html)
    titled = title is not None and _TITLES.match(title[1]) is not None
    injected = any(mark in lowered for mark in _INJECTED)
    if not (certain or widget or titled or injected):
        return False
    text = _visible_text(html)
    if injected and len(text) <= MAX_EMPTY_CHARS and b"<main" not in lowered and len(page.body) < 20_000:
        return True
    if len(text) > MAX_CHALLENGE_CHARS:
        return False
    says = _SAYS.search(text) is not None
    return certain or titled or (widget and (says or page.status in (403, 429, 503)))


def _visible_text(html: str) -> str:
    return " ".join(_TAG.sub(" ", " ".join(_spoken_parts(html))).split())


def _spoken_parts(html: str) -> Iterator[str]:
    """Cut scripts, styles and comments out in one pass (a lazy regex is quadratic where an end tag is missing)."""
    lowered = html.lower() if len(html.lower()) == len(html) else html
    at = 0
    while opening := _SILENT.search(html, at):
        yield html[at : opening.start()]
        name = opening[1].lower()
        end = lowered.find("-->" if name == "!--" else f"</{name}", opening.end())
        if end < 0:
            return
        at = end
    yield html[at:]
