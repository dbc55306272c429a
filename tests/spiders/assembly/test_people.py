from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from catalog.suppressions import Suppressions
from spiders.assembly.drafts import records, wanted
from spiders.assembly.people import Reading, people
from spiders.sources import Source

SOURCE = Source(name="uni", kind="staff", url="http://127.0.0.2/staff", label="cs", allow_loopback=True)
HOME = "http://127.0.0.2/"


@dataclass(frozen=True)
class Got:
    url: str
    image_id: str | None = None
    reason: str | None = None
    detail: str = ""


def person(name, **facts):
    empty = dict.fromkeys(("title", "role", "role_class", "image_url", "image_full_url", "profile_url"))
    return {"name": name, **empty, "is_placeholder": False, "is_former": False, **facts}


def listed(*found, page="list"):
    return Reading(page_id=page, page_url=HOME + page, is_profile=False, records=found)


def profile(found, url):
    return Reading(page_id=url, page_url=url, is_profile=True, records=(found,))


def test_list_and_profile_are_one_person_whose_facts_fill_each_other():
    url = HOME + "p/1"
    drafts = people(
        SOURCE,
        [
            listed(
                person("Ada B", profile_url=url, role="Research", image_url=HOME + "small.jpg", role_class="other")
            ),
            profile(
                person(
                    "Ada B.", title="Dr.", role="Group leader", role_class="researcher", image_url=HOME + "big.jpg"
                ),
                url,
            ),
        ],
    )
    [ada] = drafts
    assert ada.key == ("profile", url)
    assert (ada.facts["name"], ada.facts["title"], ada.facts["role"]) == ("Ada B", "Dr.", "Research")
    assert ada.facts["role_class"] == "researcher"
    assert [shown.urls for shown in ada.shown] == [(HOME + "small.jpg",), (HOME + "big.jpg",)]


def test_a_page_that_many_call_their_profile_is_nobodys_key():
    team = HOME + "team"
    drafts = people(SOURCE, [listed(person("Ada B", profile_url=team), person("Bo C", profile_url=team))])
    assert [draft.key for draft in drafts] == [("name", "Ada B"), ("name", "Bo C")]


def test_two_of_one_name_with_pages_of_their_own_are_two_and_a_bare_mention_joins_the_first():
    one, two = HOME + "p/1", HOME + "p/2"
    first = listed(person("Ada B", profile_url=one), person("Ada B", profile_url=two))
    drafts = people(SOURCE, [first, listed(person("Ada B", image_url=HOME + "x.jpg"), page="more")])
    assert [draft.key for draft in drafts] == [("profile", one), ("profile", two)]
    assert len(drafts[0].shown) == 1


def made(drafts, outcomes):
    return list(records("uni", drafts, outcomes, Suppressions()))


def test_the_larger_original_is_taken_and_the_shown_one_where_it_fails():
    big, small = HOME + "big.jpg", HOME + "small.jpg"
    drafts = people(SOURCE, [listed(person("Ada B", image_url=small, image_full_url=big))])
    assert [shown.urls for shown in wanted(drafts)] == [(big, small)]
    taken = [r for r in made(drafts, {big: Got(big, "1" * 64)}) if r.TYPE == "sighting"]
    assert [(r.image_url, r.image_id) for r in taken] == [(big, "1" * 64)]
    failed = {big: Got(big, reason="fetch_not_found"), small: Got(small, "2" * 64)}
    taken = [r for r in made(drafts, failed) if r.TYPE == "sighting"]
    assert [(r.image_url, r.image_id) for r in taken] == [(small, "2" * 64)]
    both = {big: Got(big, reason="fetch_not_found"), small: Got(small, reason="fetch_failed")}
    rows = made(drafts, both)
    assert [(r.image_id, r.image_url) for r in rows if r.TYPE == "sighting"] == [(None, small)]
    assert [r.reason for r in rows if r.TYPE == "issue"] == ["fetch_failed"]


def test_a_placeholder_by_its_own_words_is_not_fetched():
    drafts = people(SOURCE, [listed(person("Ada B", image_url=HOME + "none.png", is_placeholder=True))])
    assert wanted(drafts) == []
    assert [(r.TYPE, getattr(r, "reason", "")) for r in made(drafts, {})] == [
        ("subject", ""),
        ("issue", "record_placeholder"),
    ]


def test_one_picture_of_three_people_is_reported_of_two_it_is_not():
    for count, reported in ((2, 0), (3, 1)):
        found = [person(f"Ada {letter}", image_url=f"{HOME}{letter}.jpg") for letter in "BCDE"[:count]]
        drafts = people(SOURCE, [listed(*found)])
        outcomes = {record["image_url"]: Got(record["image_url"], "1" * 64) for record in found}
        rows = made(drafts, outcomes)
        assert sum(getattr(row, "reason", "") == "record_placeholder" for row in rows) == reported
        assert all(row.image_id for row in rows if row.TYPE == "sighting")


@given(st.permutations([f"Ada {letter}" for letter in "BCDEF"]))
def test_the_order_of_a_list_changes_no_id(names):
    def ids(order):
        drafts = people(SOURCE, [listed(*(person(name, image_url=f"{HOME}{name[-1]}.jpg") for name in order))])
        outcomes = {f"{HOME}{name[-1]}.jpg": Got(f"{HOME}{name[-1]}.jpg", "1" * 64) for name in order}
        return {row.to_json().get("sighting_id") or row.to_json().get("subject_id") for row in made(drafts, outcomes)}

    assert ids(names) == ids(sorted(names))
