"""A challenge is told apart from the pages that merely talk of one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.pages.challenge import is_challenge
from spiders.pages.contract import PageInput

PROSE = "<p>" + "The institute studies bridges, tunnels and the people who cross them. " * 40 + "</p>"


def page(body: str, **fields: object) -> PageInput:
    return PageInput(url="https://a.example/x", body=body.encode(), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        "<title>Just a moment...</title><body><script>window._cf_chl_opt={}</script></body>",
        "<title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>",
        '<body><iframe src="/item/1.html/_____tmd_____/punish?x5secdata=abc"></iframe></body>',
        '{"ret":["FAIL_SYS_USER_VALIDATE"],"data":{"url":"https://a.example/_____tmd_____/punish?a=1"}}',
        '<div class="g-recaptcha"></div><p>Please show that you are not a robot.</p>',
        '<div class="h-captcha"></div><p>Our systems have detected unusual traffic</p>',
        "<script>" + "x=1;" * 30_000 + '</script><script src="https://geo.captcha-delivery.com/c.js"></script>',
    ],
)
def test_challenges_are_known(body: str) -> None:
    assert is_challenge(page(body))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<h1>Team</h1><p>Ada Example</p>",
        '<form><div class="g-recaptcha"></div></form>' + PROSE,
        "<h1>Group of Prof. Example</h1><p>We study captcha farms.</p>" + PROSE,
        PROSE + '<script>load("/cdn-cgi/challenge-platform/scripts/jsd/main.js")</script>',
        '<div id="root"></div><script src="app.js"></script>',
    ],
)
def test_pages_that_answer_are_no_challenge(body: str) -> None:
    assert not is_challenge(page(body))


def test_a_header_or_a_refusing_status_decides() -> None:
    assert is_challenge(page(PROSE, headers={"cf-mitigated": "challenge"}))
    assert is_challenge(page('<div class="g-recaptcha"></div>', status=403))
    assert not is_challenge(page('<div class="g-recaptcha"></div>'))


@given(st.binary(max_size=500))
def test_any_bytes_get_an_answer(body: bytes) -> None:
    assert is_challenge(PageInput(url="https://a.example/", body=body)) in (True, False)


@pytest.mark.parametrize("piece", ["<script", "<!--", "<title", "<", "<style><", "captcha<script>"])
def test_hostile_pages_take_linear_time(piece: str) -> None:
    body = ("captcha" + piece * (900_000 // len(piece))).encode()
    started = time.process_time()
    is_challenge(PageInput(url="https://a.example/", body=body))
    assert time.process_time() - started < 2


@pytest.mark.shared_data
def test_the_saved_captcha_page_is_known_and_the_item_pages_are_not(shared_data: Path) -> None:
    folder = shared_data / "aliexpress"
    for path in folder.glob("blocked/*.html"):
        assert is_challenge(PageInput(url="https://a.example/", body=path.read_bytes()))
    for path in [*folder.glob("items/*.html"), *folder.glob("search/*.json"), *folder.glob("reviews/*.json")]:
        assert not is_challenge(PageInput(url="https://a.example/", body=path.read_bytes())), path.name
