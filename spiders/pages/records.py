"""From blocks to records: details, hints and linked data put together, one record for each person."""

from __future__ import annotations

from typing import Any

from spiders.pages.blocks import Block, Builder
from spiders.pages.details import Sections, details_of
from spiders.pages.hints import Selected
from spiders.pages.markup import LinkedPerson, marked_role, text_of
from spiders.pages.names import fold, matches
from spiders.pages.pictures import says_placeholder, shared_addresses
from spiders.pages.roles import classify, is_former

FIELDS = (
    "name", "title", "role", "role_class", "image_url", "image_full_url", "profile_url", "is_placeholder", "is_former",
)  # fmt: skip
"""The keys of a record."""

Record = dict[str, Any]


def records_of(builder: Builder, blocks: list[Block], selected: Selected) -> list[Record]:
    """Give the records of a page's blocks, each person once.

    Args:
        builder: knows the page and its pictures.
        blocks: in page order.
        selected: what the source's hints found.
    """
    sections = Sections(builder.document, blocks)
    for block in blocks:
        _take_hinted_picture(builder, block, selected)
    shared = _shared(blocks)
    known: dict[str, list[tuple[Block, Record]]] = {}
    records: list[Record] = []
    for block in blocks:
        record = _record(builder, block, sections, selected, shared)
        same_name = known.setdefault(block.anchor.name.key, [])
        twin = next((other for there, other in same_name if _is_same(there, other, block, record)), None)
        if twin is not None:
            _fill(twin, record)
            continue
        same_name.append((block, record))
        records.append(record)
    return records


def _record(builder: Builder, block: Block, sections: Sections, selected: Selected, shared: set[str]) -> Record:
    document, name, picture = builder.document, block.anchor.name, block.picture
    hinted = {field: text_of(document, node) for field in ("role", "title") if (node := selected.first(field, block))}
    details = details_of(
        document, block, sections, hinted.get("role") or marked_role(document, block.start, block.end)
    )
    link = selected.first("profile", block)
    return {
        "name": name.text,
        "title": hinted.get("title") or name.title,
        "role": details.role,
        "role_class": details.role_class,
        "image_url": picture.url if picture else None,
        "image_full_url": picture.full_url if picture else None,
        "profile_url": document.absolute(link.get("href")) if link else details.profile_url,
        "is_placeholder": picture is not None and (_stands_in(block) or picture.url in shared),
        "is_former": details.is_former,
    }


def _stands_in(block: Block) -> bool:
    """Say whether the picture is called a stand-in, and its file is not called after the person all the same."""
    picture = block.picture
    if picture is None or not picture.is_placeholder:
        return False
    return not (picture.says_placeholder_in_alt_only and matches(block.anchor.name, picture.file))


def _take_hinted_picture(builder: Builder, block: Block, selected: Selected) -> None:
    if not selected.has("image"):
        return
    node = selected.first("image", block)
    inside = builder.within(node.start, node.end) if node is not None else []
    block.picture = inside[0] if inside else None


def _shared(blocks: list[Block]) -> set[str]:
    """Give the pictures that stand for several people, after each that names its owner went to that one."""
    owned = {block.picture.url for block in blocks if block.picture is not None and _names_owner(block)}
    for block in blocks:
        if block.picture is not None and block.picture.url in owned and not _names_owner(block):
            block.picture = None
    return shared_addresses([(b.picture.url, b.anchor.name.key) for b in blocks if b.picture is not None])


def _names_owner(block: Block) -> bool:
    picture = block.picture
    return picture is not None and matches(block.anchor.name, f"{picture.alt} {picture.words}") > 0


def _is_same(block: Block, one: Record, other: Block, two: Record) -> bool:
    """Two of one name are two people only where one list shows them with two portraits."""
    if one["image_url"] == two["image_url"] or None in (one["image_url"], two["image_url"]):
        return True
    return block.anchor.signature != other.anchor.signature


def _fill(record: Record, other: Record) -> None:
    """A person who is listed twice is one record; the first mention wins, the second fills what it lacks."""
    for key in FIELDS:
        if record[key] is None:
            record[key] = other[key]
            if key == "image_url":
                record["is_placeholder"] = other["is_placeholder"]


def with_linked_people(records: list[Record], linked: list[LinkedPerson], is_profile: bool) -> list[Record]:
    """Fill the records with what JSON-LD says of the same people, and add those whom it alone names.

    A page's generator names one person for the site's author: one alone is added nowhere, several with portrait or
    job are.
    """
    by_key = {" ".join(sorted(_key(record))): record for record in records}
    telling = [person for person in linked if person.image_url or person.role]
    added: list[Record] = []
    for person in linked:
        record = by_key.get(" ".join(sorted(person.name.key.split())))
        if record is not None:
            _fill(record, _linked_record(person))
            if record["role_class"] == "other":
                record["role_class"] = classify(record["role"], None, record["title"], record["is_former"])
        elif not is_profile and len(telling) >= 2 and person in telling:
            added.append(_linked_record(person))
    return records + added


def _key(record: Record) -> list[str]:
    return fold(record["name"]).split()


def _linked_record(person: LinkedPerson) -> Record:
    former = person.role is not None and is_former(person.role)
    return {
        "name": person.name.text,
        "title": person.name.title,
        "role": person.role,
        "role_class": classify(person.role, None, person.name.title, former),
        "image_url": person.image_url,
        "image_full_url": None,
        "profile_url": person.profile_url,
        "is_placeholder": person.image_url is not None and says_placeholder(person.image_url.rpartition("/")[2]),
        "is_former": former,
    }
