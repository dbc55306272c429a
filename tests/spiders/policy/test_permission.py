from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.policy.permission import decide, header_signals, meta_signals, origin_rules

ROBOTS = b"""
User-agent: *
Content-Signal: search=yes, ai-train=no
Disallow: /private

User-agent: friendly
User-agent: gleanerybot
Content-Signal: ai-train=yes
"""


@pytest.mark.parametrize(
    ("headers", "page", "image"),
    [
        ({}, None, None),
        ({"x-robots-tag": "noindex, nofollow"}, None, None),
        ({"x-robots-tag": "noai"}, "policy_noai", "policy_noai"),
        ({"x-robots-tag": "NoAI, noimageai"}, "policy_noai", "policy_noai"),
        ({"x-robots-tag": "noimageai"}, None, "policy_noimageai"),
        ({"x-robots-tag": "otherbot: noai, noimageai"}, None, None),
        ({"x-robots-tag": "otherbot: noindex, gleanerybot: noai"}, "policy_noai", "policy_noai"),
        ({"x-robots-tag": "max-snippet: 5, noai"}, "policy_noai", "policy_noai"),
        ({"tdm-reservation": "1"}, "policy_tdm", "policy_tdm"),
        ({"tdm-reservation": "0"}, None, None),
        ({"content-signal": "search=yes,ai-train=no"}, "policy_content_signal", "policy_content_signal"),
        ({"content-signal": "ai-train=yes, ai-input=no"}, None, None),
        ({"content-usage": "train-ai=n"}, "policy_content_signal", "policy_content_signal"),
    ],
)
def test_headers(headers, page, image):
    signals = header_signals(headers)
    assert decide(signals, "page").reason == page
    assert decide(signals, "image").reason == image
    assert decide(signals, "image").is_allowed is (image is None)
    assert set(decide(signals, "page").signals.values()) == set(headers.values())


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ('<meta name="robots" content="noai">', "policy_noai"),
        ("<META content='noimageai' name=ROBOTS>", "policy_noimageai"),
        ("<meta name=robots content=index><meta name=gleanerybot content=noai>", "policy_noai"),
        ('<meta name="otherbot" content="noai">', None),
        ('<meta name="tdm-reservation" content="1">', "policy_tdm"),
        ('<meta name="description" content="noai">', None),
    ],
)
def test_metadata(tag, reason):
    assert decide(meta_signals(f"<html><head>{tag}</head>".encode()), "image").reason == reason


def test_the_group_of_robots_txt_that_names_us_wins():
    assert origin_rules(ROBOTS, b"").content_signal == "ai-train=yes"
    alone = ROBOTS.split(b"User-agent: friendly")[0]
    signals = origin_rules(alone, b"").signals("/x")
    assert decide(signals, "page").reason == "policy_content_signal"


def test_the_longest_location_of_tdmrep_wins_and_a_header_beats_it():
    body = (
        b'[{"location": "/", "tdm-reservation": 1}, {"location": "/open/*.jpg$", "tdm-reservation": 0}, {"x": 1}, 3]'
    )
    rules = origin_rules(b"", body)
    assert decide(rules.signals("/a"), "image").reason == "policy_tdm"
    assert decide(rules.signals("/open/b.jpg"), "image").reason is None
    assert decide(rules.signals("/open/b.jpg?x"), "image").reason == "policy_tdm"
    assert decide(rules.signals("/a") | header_signals({"tdm-reservation": "0"}), "image").reason is None


@given(st.binary(max_size=300))
def test_whatever_the_files_hold_nothing_breaks(data):
    origin_rules(data, data).signals("/a")
    decide(meta_signals(data), "page")


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_patterns_match_as_a_glob_does(pattern, path):
    rules = origin_rules(b"", f'[{{"location": "/{pattern}", "tdm-reservation": 1}}]'.encode())
    expected = fnmatch.fnmatchcase("/" + path, f"/{pattern}*")
    assert bool(rules.signals("/" + path)) is expected
    anchored = origin_rules(b"", f'[{{"location": "/{pattern}$", "tdm-reservation": 1}}]'.encode())
    assert bool(anchored.signals("/" + path)) is fnmatch.fnmatchcase("/" + path, "/" + pattern)
