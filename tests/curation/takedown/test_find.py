"""What a request covers, on pictures and people made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from catalog.errors import UsageError
from catalog.ids import image_id, pair_key, subject_id
from catalog.schema import Verdict
from curation.places import Places
from curation.takedown.find import find_trace
from curation.takedown.request import Request

NOW = "2026-11-21T12:00:00Z"


@pytest.fixture
def people(world, draw, encode):
    """Five people; one stands in two sources, once as a smaller copy; three share a silhouette."""
    shown = encode(draw(1, 320, 240))
    small = encode(np.asarray(Image.fromarray(draw(1, 320, 240)).resize((180, 135))), quality=70)
    silhouette = encode(draw(99))
    first = world.add(
        [
            {"body": shown, "subject": "ada", "name": "Ada Bell"},
            {"body": encode(draw(2)), "subject": "bo", "name": "Bo Cart"},
            *({"body": silhouette, "subject": who, "name": f"{who} Empty"} for who in ("x", "y", "z")),
            {"body": silhouette, "subject": "ada", "name": "Ada Bell"},
        ],
        "sample-a",
    )
    second = world.add(
        [
            {"body": small, "subject": "a2", "name": "Bell, Ada"},
            {"body": encode(draw(3)), "subject": "di", "name": "Di Elk"},
        ],
        "sample-b",
    )
    third = world.add([{"body": small, "subject": "ghost", "name": "Not Ada"}], "sample-c")
    assert third == second[:1]
    return {"shown": first[0], "bo": first[1], "silhouette": first[2], "small": second[0], "bytes": shown}


def find(world, kind, value, picture=None, same_subject=False):
    request = Request(
        request_id="take_0000000000000000", kind=kind, value=value, same_subject=same_subject, reason="asked",
        created_at=NOW,
    )  # fmt: skip
    return find_trace(Places(world.config, world.catalog), request, picture)


def test_a_name_covers_all_sources_and_copies_but_no_placeholder(world, people):
    trace = find(world, "name", "dr. ada BELL")
    assert set(trace.images) == {people["shown"], people["small"]}
    assert set(trace.subject_ids) >= {subject_id("sample-a", "ada"), subject_id("sample-b", "a2")}
    assert trace.shared == {people["silhouette"]: 4}
    assert subject_id("sample-a", "bo") not in trace.subject_ids
    assert set(trace.sources) >= {"sample-a", "sample-b"}
    assert len(trace.looks) == 2


def test_a_name_with_a_further_word_is_shown_and_not_covered(world, people, draw, encode):
    world.add([{"body": encode(draw(5)), "subject": "m", "name": "Ada Maria Bell"}], "sample-d")
    trace = find(world, "name", "Ada Bell")
    assert trace.similar == ["Ada Maria Bell"]
    assert subject_id("sample-d", "m") not in trace.subject_ids
    assert not trace.needles.names_in("Ada Maria Bell")


def test_a_picture_alone_leaves_its_person(world, people):
    trace = find(world, "id", people["shown"])
    assert trace.images == {people["shown"]: "named", people["small"]: "near copy"}
    assert trace.subject_ids == []
    assert trace.names == []
    assert len(trace.sighting_ids) == 3
    whole = find(world, "id", people["shown"], same_subject=True)
    assert "Ada Bell" in whole.names
    assert subject_id("sample-c", "ghost") in whole.subject_ids, "the copy shows the same person, under another name"


def test_a_file_is_found_by_its_look(world, people, encode, draw):
    other = encode(np.asarray(Image.fromarray(draw(1, 320, 240)).resize((250, 188))), quality=50)
    trace = find(world, "image", image_id(other), other)
    assert set(trace.images) == {image_id(other), people["shown"], people["small"]}
    unknown = encode(draw(77))
    assert set(find(world, "image", image_id(unknown), unknown).images) == {image_id(unknown)}


def test_a_turned_copy_is_found(world, people, encode, draw):
    turned = encode(np.rot90(draw(2)))
    trace = find(world, "image", image_id(turned), turned)
    assert people["bo"] in trace.images


def test_an_address_covers_what_it_served(world, people):
    trace = find(world, "url", f"http://127.0.0.2/{people['bo'][:12]}.jpg")
    assert trace.images == {people["bo"]: "named"}
    page = find(world, "url", "http://127.0.0.2/")
    assert people["bo"] in page.images, "a page that is nobody's own covers what it shows"


def test_what_people_called_different_is_no_copy(world, people):
    pair = pair_key([people["shown"], people["small"]])
    verdict = Verdict(
        verdict_id="v", queue="duplicates", target_id=pair, answer="different", reviewer="eve", answered_at=NOW
    )
    world.catalog.add_verdicts([verdict])
    assert set(find(world, "id", people["shown"]).images) == {people["shown"]}


def test_nothing_is_known_of_a_stranger(world, people):
    for kind, value in (("name", "Nobody Here"), ("url", "http://127.0.0.9/x"), ("id", "0" * 64), ("id", "subj_0")):
        assert find(world, kind, value).is_empty, (kind, value)
    with pytest.raises(UsageError):
        find(world, "name", "Dr.")
    with pytest.raises(UsageError):
        find(world, "id", "something")


def test_copies_in_a_frame_are_covered(world, people, draw, encode):
    frames = [((60, 60), (0, 0), (0, 0)), ((0, 0), (70, 70), (0, 0))]
    framed = [encode(np.pad(draw(1, 320, 240), frame, constant_values=255)) for frame in frames]
    found = world.add(
        [{"body": body, "subject": f"f{n}", "name": f"F {n}"} for n, body in enumerate(framed)], "sample-e"
    )
    for seed in (people["shown"], *found):
        covered = {people["shown"], people["small"], *found} - {seed}
        assert find(world, "id", seed).images == {seed: "named", **dict.fromkeys(covered, "near copy")}
