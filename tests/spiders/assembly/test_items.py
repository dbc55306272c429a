from __future__ import annotations

from spiders.assembly.items import ItemReading, ReviewReading, item_label, items
from spiders.sources import Source

SOURCE = Source(name="shop", kind="shop", url="http://127.0.0.2/list", allow_loopback=True)
RED, BLUE, EXTRA = (f"http://127.0.0.2/{name}.jpg" for name in ("red", "blue", "extra"))


def item(colors, photos=(EXTRA,)):
    record = {"item_id": "77", "title": "Skirt", "colors": colors, "image_urls": list(photos), "store": {"id": "5"}}
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
    assert item_label("77", "Navy / Blue (dark)", True) == "77-navy_blue_dark"
    assert item_label("77", "синий", True) == "77-синий"
    assert item_label("77", "//", True) == "77-color"


def test_nothing_of_buyers_is_kept():
    told = {"color": "Red", "image_urls": ["b"], "text": "SECRET", "country": "DE"}
    drafts = items(SOURCE, [item(COLORS)], [ReviewReading(page_id="r", item_id="77", records=(told,))])
    assert "SECRET" not in repr(drafts)
    assert "'DE'" not in repr(drafts)
