"""Merge what list and profile pages say into one subject per person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spiders.assembly.drafts import Draft, Shown
from spiders.site import bare
from spiders.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one page said."""

    page_id: str
    page_url: str
    """Final address."""
    is_profile: bool
    """The page is one person's own."""
    records: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Mention:
    reading: Reading
    record: Mapping[str, Any]
    profile: str | None


def people(source: Source, readings: Sequence[Reading]) -> list[Draft]:
    """Give one draft per person, in the order in which pages mention them.

    A person is known by the profile page, where nobody else claims the same one, else by the name as the site writes
    it: two of one name with different profile pages are two people.
    """
    mentions = [
        _Mention(reading, record, bare(reading.page_url) if reading.is_profile else _profile(record))
        for reading in readings
        for record in reading.records
    ]
    claims: dict[str, set[str]] = {}
    for mention in mentions:
        if mention.profile and not mention.reading.is_profile:
            claims.setdefault(mention.profile, set()).add(_name(mention.record))
    by_key: dict[tuple[str, ...], list[_Mention]] = {}
    known: dict[str, list[str]] = {}
    for mention in mentions:
        if mention.profile and len(claims.get(mention.profile, ())) <= 1:
            profiles = known.setdefault(_name(mention.record), [])
            if mention.profile not in profiles:
                profiles.append(mention.profile)
    for mention in mentions:
        by_key.setdefault(_key(mention, claims, known), []).append(mention)
    return [_draft(source, key, found) for key, found in by_key.items()]


def _key(mention: _Mention, claims: Mapping[str, set[str]], known: Mapping[str, list[str]]) -> tuple[str, ...]:
    if mention.profile and len(claims.get(mention.profile, ())) <= 1:
        return ("profile", mention.profile)
    profiles = known.get(_name(mention.record))
    return ("profile", profiles[0]) if profiles else ("name", _name(mention.record))


def _name(record: Mapping[str, Any]) -> str:
    return " ".join(str(record["name"]).split())


def _profile(record: Mapping[str, Any]) -> str | None:
    url = record.get("profile_url")
    return bare(url) if isinstance(url, str) and url.startswith(("http://", "https://")) else None


def _draft(source: Source, key: tuple[str, ...], mentions: Sequence[_Mention]) -> Draft:
    """The list's words come first; the profile page fills what it lacks."""
    ordered = sorted(mentions, key=lambda mention: mention.reading.is_profile)

    def first(field: str) -> Any:
        return next((value for mention in ordered if (value := mention.record.get(field))), None)

    classes = [value for mention in ordered if (value := mention.record.get("role_class"))]
    facts = {
        "kind": "person",
        "label": source.label,
        "name": first("name"),
        "title": first("title"),
        "role": first("role"),
        "role_class": next((value for value in classes if value != "other"), classes[0] if classes else None),
        "is_former": any(mention.record.get("is_former") for mention in ordered),
        "profile_url": key[1] if key[0] == "profile" else next((m.profile for m in ordered if m.profile), None),
        "organisation": source.organisation,
    }
    return Draft(key=key, facts=facts, shown=[shown for mention in ordered if (shown := _shown(mention))])


def _shown(mention: _Mention) -> Shown | None:
    record = mention.record
    urls = tuple(dict.fromkeys(url for url in (record.get("image_full_url"), record.get("image_url")) if url))
    if not urls:
        return None
    is_placeholder = bool(record.get("is_placeholder"))
    return Shown(page_id=mention.reading.page_id, slot="portrait", urls=urls, is_placeholder=is_placeholder)
