from __future__ import annotations

import threading

import pytest
from fastapi.testclient import TestClient

from catalog.errors import UsageError
from tests.curation.handmade import make_world
from tests.curation.review.serving import review_app

PAGE = "/review/garments/noise"
API = "/api/garments/noise"
HERE = "http://127.0.0.1:8300"


@pytest.fixture
def client(world):
    with TestClient(review_app(world), base_url=HERE) as made:
        yield made


def save(client, cards, answer="good", reviewer="ana", batch="b1", **headers):
    body = {
        "batch_id": batch,
        "reviewer": reviewer,
        "answers": [{"target_id": card["target_id"], "answer": answer} for card in cards],
        "duration_s": 12.0,
    }
    return client.post(f"{API}/answers", json=body, headers=headers)


def open_cards(client):
    return client.get(API).json()["cards"]


def test_index_shows_queues_and_what_is_missing(client):
    page = client.get("/").text
    assert "Good photo, or noise?" in page
    assert "no curation of &#39;majors&#39; yet" in page


def test_page_offers_all_buyer_photos_once(client, world):
    cards = open_cards(client)
    buyers = world.curated.tables["samples"].query("slot == 'buyer'")["sample_id"]
    assert sorted(card["target_id"] for card in cards) == sorted(buyers)
    assert client.get(PAGE).text.count('class="card"') == len(cards) == 20


def test_saved_cards_leave_the_queue_and_undo_brings_them_back(client):
    cards = open_cards(client)
    assert save(client, cards[:8]).json() == {"saved_count": 8}
    assert [card["target_id"] for card in open_cards(client)] == [card["target_id"] for card in cards[8:]]
    undone = client.post(f"{API}/undo", json={"reviewer": "ana"}).json()
    assert undone["answers"] == {card["target_id"]: "good" for card in cards[:8]}
    assert open_cards(client) == cards
    assert client.post(f"{API}/undo", json={"reviewer": "ana"}).json()["answers"] == {}


def test_saving_a_page_twice_adds_nothing(client, world):
    cards = open_cards(client)
    assert [save(client, cards[:5]).json()["saved_count"] for _ in range(2)] == [5, 0]
    assert len(world.catalog.verdicts("noise")) == 5


def test_two_reviewers_never_overwrite_each_other(client, world):
    cards = open_cards(client)
    save(client, cards[:6], "good", "ana", "b1")
    save(client, cards[:6], "noise", "ben", "b2")
    client.post(f"{API}/undo", json={"reviewer": "ben"})
    answers = [(v.reviewer, v.answer) for v in world.catalog.verdicts("noise")]
    assert answers == [("ana", "good")] * 6 + [("ben", "noise")] * 6 + [("ben", "undone")] * 6
    assert not {c["target_id"] for c in cards[:6]} & {c["target_id"] for c in open_cards(client)}


@pytest.mark.parametrize(
    "change",
    [
        {"answers": [{"target_id": "nobody", "answer": "good"}]},
        {"answers": []},
        {"reviewer": " "},
        {"reviewer": "a\nb"},
        {"surprise": 1},
    ],
)
def test_odd_answers_are_refused_whole(client, world, change):
    target = open_cards(client)[0]["target_id"]
    body = {"batch_id": "b", "reviewer": "ana", "answers": [{"target_id": target, "answer": "good"}]}
    assert client.post(f"{API}/answers", json={**body, **change}).status_code == 422
    body["answers"].append({"target_id": open_cards(client)[1]["target_id"], "answer": "perhaps"})
    assert client.post(f"{API}/answers", json=body).status_code == 422
    assert world.catalog.verdicts() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:9999"},
        {"content-type": "text/plain"},
    ],
)
def test_foreign_writes_are_refused(client, world, headers):
    assert save(client, open_cards(client)[:1], **headers).status_code == 403
    assert world.catalog.verdicts() == []


def test_own_origin_may_write(client):
    assert save(client, open_cards(client)[:1], origin=HERE, **{"sec-fetch-site": "same-origin"}).status_code == 200


def test_unknown_hosts_are_refused(client):
    """A name of a stranger's that resolves to loopback is no way in."""
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_token_is_asked_for_beyond_loopback(world):
    with pytest.raises(UsageError, match="needs a token"):
        review_app(world, hosts=["review.example"])
    app = review_app(world, hosts=["review.example"], token="open-sesame")
    with TestClient(app, base_url="http://review.example") as stranger:
        assert stranger.get("/").status_code == 401
        assert stranger.get("/", params={"token": "wrong"}).status_code == 401
        assert stranger.get("/api", headers={"authorization": "Bearer open-sesame"}).status_code == 200
        link = stranger.get("/", params={"token": "open-sesame", "reviewer": "ana"}, follow_redirects=False)
        assert link.headers["location"] == "/?reviewer=ana"
        assert 'value="ana"' in stranger.get(link.headers["location"]).text


def test_policy_stands_on_every_answer(client):
    for path in ("/", PAGE, "/static/review.js", "/nothing", "/api"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert client.get(path).headers["x-content-type-options"] == "nosniff"


def test_hostile_texts_do_nothing(tmp_path):
    world = make_world(tmp_path, label_of=lambda item: '"><script>alert(1)</script>')
    world = world.with_recipe(title="<img src=x onerror=alert(1)>")
    with TestClient(review_app(world), base_url=HERE) as client:
        page = client.get(PAGE, params={"reviewer": '"><script>alert(2)</script>'}).text
    assert page.count("<script") == 1
    assert "onerror=alert(1)>" not in page
    world.catalog.close()


@pytest.mark.parametrize(
    "path",
    [
        "/thumbnails/garments/..%2f..%2fcatalog.db.jpg",
        "/pictures/garments/..%2f..%2fcatalog.db.jpg",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/thumbnails/..%2f../x.jpg",
        f"/pictures/garments/{'0' * 64}.jpg",
    ],
)
def test_path_tricks_lead_nowhere(client, path):
    assert client.get(path).status_code == 404


def test_pictures_are_jpegs_that_may_be_kept(client):
    image_id = open_cards(client)[0]["image_id"]
    for kind in ("thumbnails", "pictures"):
        answer = client.get(f"/{kind}/garments/{image_id}.jpg")
        assert answer.headers["content-type"] == "image/jpeg"
        assert "max-age" in answer.headers["cache-control"]
        assert answer.content[:2] == b"\xff\xd8"


def test_gate_progress_counts_down(world):
    gated = world.with_recipe(gates={"noise_cards": 10})
    with TestClient(review_app(gated), base_url=HERE) as client:
        assert client.get(API).json()["progress"]["missing_count"] == 10
        save(client, open_cards(client)[:4])
        progress = client.get(API).json()["progress"]
        assert (progress["answered_count"], progress["missing_count"], progress["seconds_per_card"]) == (4, 6, 3.0)
        save(client, open_cards(client)[:6])
        assert "you can stop here" in client.get(PAGE).text


def test_reviewers_are_shown_different_cards_but_for_the_overlap(tmp_path):
    world = make_world(tmp_path, items_count=60).with_recipe(review={"overlap_frac": 0.3})
    with TestClient(review_app(world), base_url=HERE) as client:
        pages = {name: client.get(API, params={"reviewer": name}).json()["cards"] for name in ("ana", "ben")}
        shown = {name: {card["target_id"] for card in cards} for name, cards in pages.items()}
        common = shown["ana"] & shown["ben"]
        assert 0 < len(common) < 24
        for name, cards in pages.items():
            save(client, cards, "good", name, f"batch {name}")
        left = {card["target_id"] for card in client.get(API, params={"reviewer": "cleo"}).json()["cards"]}
        assert not left & common  # two answers each are enough
        people = client.get(f"{API}/people").json()
        assert [row["answers_count"] for row in people["people"]] == [24, 24]
        assert people["pairs"][0]["common_count"] == people["pairs"][0]["agreed_count"] == len(common)
    world.catalog.close()


def test_disagreements_are_listed_until_a_majority_settles_them(client, world):
    cards = open_cards(client)[:4]
    save(client, cards, "good", "ana", "b1")
    save(client, cards[:3], "good", "ben", "b2")
    save(client, cards[3:], "noise", "ben", "b3")
    assert client.get(f"{API}/people").json()["unsettled_count"] == 1
    page = client.get(PAGE, params={"settle": "1"}).text
    assert page.count('class="card"') == 1
    assert "ben: noise" in page
    save(client, cards[3:], "noise", "cleo", "b4")
    assert client.get(f"{API}/people").json()["unsettled_count"] == 0
    assert "Nothing left to settle" in client.get(PAGE, params={"settle": "1"}).text


def test_a_link_names_reviewer_and_token(world):
    app = review_app(world, hosts=["review.example"], token="open-sesame")
    with TestClient(app, base_url="http://review.example") as stranger:
        stranger.headers["authorization"] = "Bearer open-sesame"
        page = stranger.get("/people/garments/noise", params={"invite": "ben"}).text
        assert "http://review.example/review/garments/noise?reviewer=ben&amp;token=open-sesame" in page
    with TestClient(review_app(world), base_url=HERE) as client:
        page = client.get("/people/garments/noise", params={"invite": '"><script>alert(3)</script>'}).text
        assert "<script>alert" not in page


def test_a_huge_picture_is_shown_small(client, world, monkeypatch):
    image_id = open_cards(client)[0]["image_id"]
    monkeypatch.setattr("curation.review.app._LOOK_MAX_PIXELS", 100)
    small = client.get(f"/thumbnails/garments/{image_id}.jpg").content
    assert client.get(f"/pictures/garments/{image_id}.jpg").content == small


def test_the_order_is_learnt_anew_after_a_page_and_open_pages_still_save(tmp_path):
    world = make_world(tmp_path, items_count=30)
    loads = []

    def load(recipe):
        loads.append(recipe)
        # The second time fewer pictures are left: somebody's page may still hold one that is gone.
        samples = world.curated.tables["samples"]
        return world.with_table("samples", samples if len(loads) == 1 else samples.iloc[:30]).curated

    with TestClient(review_app(world, load_curated=load), base_url=HERE) as client:
        first, second = (client.get(API, params={"page": page}).json()["cards"] for page in (0, 1))
        assert save(client, first).status_code == 200
        for thread in threading.enumerate():
            if thread.name == "learn garments":
                thread.join(20)
        assert len(loads) == 2
        assert len(open_cards(client)) < len(second)
        assert save(client, second, batch="b2").json() == {"saved_count": len(second)}
    world.catalog.close()
