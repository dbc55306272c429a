from __future__ import annotations

from dataclasses import replace

from spiders.assembly.items import DescriptionReading, ItemReading, ReviewReading, item_labels, items
from spiders.sources import Source

SOURCE = Source(name="shop", kind="shop", url="http://127.0.0.2/list", allow_loopback=True)
RED, BLUE, EXTRA = (f"http://127.0.0.2/{name}.jpg" for name in ("red", "blue", "extra"))


def item(colors, photos=(EXTRA,)):
    record = {
        "item_id": "77", "title": "Skirt", "colors": colors, "image_urls": list(photos), "store": {"id": "5"},
        "price": {"low": 1.0, "high": 1.0},
    }  # fmt: skip
    return ItemReading(page_id="page", page_url="http://127.0.0.2/item/77.html", record=record)


def review(color, *urls):
    return ReviewReading(page_id="r", item_id="77", records=({"color": color, "image_urls": list(urls)},))


def shown(drafts):
    return {draft.facts["attributes"]["color"]: [(s.slot, s.urls[0]) for s in draft.shown] for draft in drafts}


COLORS = [{"name": "Red", "image_url": RED}, {"name": "Blue", "image_url": BLUE}]


def test_each_colour_is_a_subject_with_its_buyers():
    drafts = items(SOURCE, [item(COLORS)], [review("Red", "b1"), review("blue", "b2")])
    assert shown(drafts) == {
        "Red": [("seller", RED), ("buyer", "b1")],
        "Blue": [("seller", BLUE), ("buyer", "b2")],
        None: [("gallery", EXTRA)],
    }
    assert {draft.facts["label"] for draft in drafts} == {"77-red", "77-blue", None}
    assert len({draft.key for draft in drafts}) == 3


def test_a_buyers_photo_of_no_told_colour_is_never_a_positive():
    drafts = items(SOURCE, [item(COLORS)], [review(None, "b1"), review("Green", "b2")])
    assert shown(drafts)[None] == [("gallery", EXTRA), ("buyer", "b1"), ("buyer", "b2")]
    assert next(draft for draft in drafts if draft.facts["attributes"]["color"] is None).facts["label"] is None


def test_an_item_without_colours_is_one_subject_with_a_label():
    drafts = items(SOURCE, [item([])], [review(None, "b1")])
    assert shown(drafts) == {None: [("seller", EXTRA), ("buyer", "b1")]}
    assert drafts[0].facts["label"] == "77"


def test_an_item_under_two_addresses_is_one_and_reviews_of_unread_items_are_left_out():
    drafts = items(SOURCE, [item(COLORS), item(COLORS)], [ReviewReading(page_id="r", item_id="8", records=({},))])
    assert len(shown(drafts)["Red"]) == 1


def test_labels_hold_no_signs():
    colors = [{"name": name, "image_url": None} for name in ("Navy / Blue (dark)", "синий", "//", "Red", "Red+")]
    assert item_labels(item(colors).record) == {
        None: None, "Navy / Blue (dark)": "77-navy_blue_dark", "синий": "77-синий", "//": "77-color",
        "Red": "77-red", "Red+": "77-red-2",
    }  # fmt: skip


def test_a_page_whose_scripts_did_not_run_does_not_say_that_it_has_no_colours():
    page = item([])
    page.record["price"] = None
    drafts = items(SOURCE, [page], [review("Red", "b1")])
    assert [draft.facts["label"] for draft in drafts] == [None]


def test_a_colour_without_a_picture_still_has_its_buyers():
    colors = [*COLORS, {"name": "Green", "image_url": None}]
    drafts = items(SOURCE, [item(colors)], [review("Green", "b1")])
    assert shown(drafts)["Green"] == [("buyer", "b1")]
    assert "77-green" in {draft.facts["label"] for draft in drafts}


def test_pictures_of_descriptions_are_gallery_pictures_of_no_colour():
    pages = [DescriptionReading(page_id="d", item_id="77", image_urls=("d1", "d2"))]
    drafts = items(SOURCE, [item(COLORS)], [], pages)
    assert shown(drafts)[None] == [("gallery", EXTRA), ("gallery", "d1"), ("gallery", "d2")]


def test_what_the_page_shows_stands_behind_its_original():
    drafts = items(SOURCE, [item(COLORS)], [review("Red", "b1")], renditions={RED: "thumb", "b1": "small"})
    assert [s.urls for draft in drafts for s in draft.shown] == [(RED, "thumb"), ("b1", "small"), (BLUE,), (EXTRA,)]


def test_what_buyers_say_of_themselves_is_kept_where_it_is_asked_for():
    record = {"color": "Red", "image_urls": ["b"], "text": "SECRET", "country": "DE", "measures": {"Height": "165cm"}}
    reading = ReviewReading(page_id="r", item_id="77", records=(record,))
    asked = replace(SOURCE, buyer_facts=("country", "measures"))
    [said] = next(d for d in items(asked, [item(COLORS)], [reading])).facts["attributes"]["buyers"]
    assert said == {"country": "DE", "measures": {"Height": "165cm"}, "image_urls": ["b"]}


def test_nothing_of_buyers_is_kept():
    records = ({"color": "Red", "image_urls": ["b"], "text": "SECRET", "country": "DE"},)
    drafts = items(SOURCE, [item(COLORS)], [ReviewReading(page_id="r", item_id="77", records=records)])
    assert "SECRET" not in repr(drafts)
    assert "'DE'" not in repr(drafts)
