"""What servers say about use of their pages and pictures for training, as signals and as a decision.

Signals are kept raw, by name: `x-robots-tag`, `tdm-reservation`, `content-signal`, `meta-robots`, `robots.txt`. Later
ones are more specific and replace earlier ones of the same name (TDMRep: meta before header before well-known file).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from catalog.schema import Permission
from spiders.policy.agent import ROBOT_NAME

Target = Literal["page", "image"]

_META_BYTES = 200_000
"""Metadata stands in the head; what comes later is not searched."""

_META = re.compile(rb"<meta\b[^<>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_TRAIN_REFUSED = re.compile(r"(?:^|[\s,;])(?:ai-train\s*=\s*no|train-ai\s*=\s*n)(?:$|[\s,;])", re.IGNORECASE)
"""Content-Signal (`ai-train=no`) and the IETF draft's Content-Usage (`train-ai=n`)."""

_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
"""Directives of X-Robots-Tag that have a value of their own, so that the colon does not name a robot."""


@dataclass(frozen=True, slots=True)
class OriginRules:
    """What an origin says for all of its addresses, once asked."""

    content_signal: str = ""
    """From the group of robots.txt that is meant for us."""
    reservations: tuple[tuple[str, str], ...] = ()
    """(location pattern, tdm-reservation) of /.well-known/tdmrep.json."""

    def signals(self, path: str) -> dict[str, str]:
        """Give the signals for one address.

        Args:
            path: path and query, beginning with a slash.
        """
        found: dict[str, str] = {}
        if self.content_signal:
            found["content-signal"] = self.content_signal
        matching = [(len(pattern), value) for pattern, value in self.reservations if _matches(pattern, path)]
        if matching:  # the longest pattern is the most specific, as in robots.txt
            found["tdm-reservation"] = max(matching)[1]
        return found


def origin_rules(robots_body: bytes, tdmrep_body: bytes) -> OriginRules:
    """Read both files; what cannot be read says nothing."""
    return OriginRules(_robots_content_signal(robots_body), tuple(_reservations(tdmrep_body)))


def header_signals(headers: Mapping[str, str]) -> dict[str, str]:
    """Pick the signals out of response headers (names in lower case)."""
    names = {
        "x-robots-tag": "x-robots-tag",
        "tdm-reservation": "tdm-reservation",
        "content-signal": "content-signal",
        "content-usage": "content-signal",
    }
    return {signal: headers[name] for name, signal in names.items() if headers.get(name)}


def meta_signals(body: bytes) -> dict[str, str]:
    """Pick the signals out of a page's own metadata."""
    found: dict[str, str] = {}
    for tag in _META.finditer(body, 0, _META_BYTES):
        text = tag[0].decode("utf-8", "replace")
        attributes = {
            m[1].lower(): next((v for v in m.groups()[1:] if v is not None), "") for m in _ATTRIBUTE.finditer(text)
        }
        name, content = attributes.get("name", "").lower(), attributes.get("content", "")
        if name in ("robots", ROBOT_NAME.lower()):
            found["meta-robots"] = ", ".join(part for part in (found.get("meta-robots"), content) if part)
        elif name == "tdm-reservation":
            found["tdm-reservation"] = content
    return found


def decide(signals: Mapping[str, str], target: Target) -> Permission:
    """Weigh signals.

    Args:
        signals: all that concern the address, by name.
        target: `noimageai` speaks of pictures alone; the rest of both.
    """
    return Permission(is_allowed=(reason := _refusal(signals, target)) is None, reason=reason, signals=dict(signals))


def _refusal(signals: Mapping[str, str], target: Target) -> str | None:
    words = set(_robots_words(signals.get("x-robots-tag", ""))) | set(_robots_words(signals.get("meta-robots", "")))
    if "noai" in words:
        return "policy_noai"
    if target == "image" and "noimageai" in words:
        return "policy_noimageai"
    if signals.get("tdm-reservation", "").strip() == "1":
        return "policy_tdm"
    if _TRAIN_REFUSED.search(signals.get("content-signal", "")):
        return "policy_content_signal"
    return None


def _robots_words(value: str) -> Iterator[str]:
    """Yield the directives that are meant for every robot or for us: `noai, otherbot: noimageai`."""
    is_for_us = True
    for part in value.split(","):
        name, colon, rest = part.partition(":")
        if colon and name.strip().lower() not in _VALUED:
            is_for_us = name.strip().lower() in (ROBOT_NAME.lower(), "*")
            part = rest
        if is_for_us:
            yield part.strip().lower()


def _robots_content_signal(body: bytes) -> str:
    """Find the Content-Signal of the group for us, else of the group for all."""
    by_agent: dict[str, list[str]] = {}
    agents: list[str] = []
    is_group_open = False
    for line in body.decode("utf-8", "replace").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            agents = [*agents, value.lower()] if is_group_open else [value.lower()]
            is_group_open = True
            continue
        is_group_open = False
        if key in ("content-signal", "content-usage"):
            for agent in agents or ["*"]:
                by_agent.setdefault(agent, []).append(value)
    return ", ".join(by_agent.get(ROBOT_NAME.lower()) or by_agent.get("*", []))


def _reservations(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        rules = json.loads(body)
    except (ValueError, RecursionError):
        return
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, dict) and isinstance(rule.get("location"), str) and "tdm-reservation" in rule:
            yield rule["location"], str(rule["tdm-reservation"])


def _matches(pattern: str, path: str) -> bool:
    """Match as robots.txt does: a prefix, `*` any run, `$` the end; no regex, so that no pattern is ever slow."""
    is_anchored = pattern.endswith("$")
    pieces = pattern.removesuffix("$").split("*")
    return _fits(pieces, path, is_anchored)


def _fits(pieces: Iterable[str], path: str, is_anchored: bool) -> bool:
    first, *rest = pieces
    if not path.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if not rest:
        return at == len(path) if is_anchored else True
    last = rest[-1]
    if is_anchored:
        return len(path) - len(last) >= at and path.endswith(last)
    return path.find(last, at) >= 0
