from __future__ import annotations

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from curation.release.build import build_release
from curation.release.lineage import lineage
from tests.curation.handmade import decision_row
from tests.curation.review.serving import NOW, review_app

HERE = "http://127.0.0.1:8300"


def client_of(world) -> TestClient:
    def story(recipe: str, picture: str):
        return lineage(world.catalog, world.curated, world.root, picture)

    return TestClient(review_app(world, story=story), base_url=HERE, follow_redirects=False)


@pytest.fixture
def client(world):
    with client_of(world) as made:
        yield made


def test_the_page_tells_where_a_released_picture_stands(client, world):
    release = build_release(world.curated, world.catalog, world.blobs, world.root, NOW)
    sample = release.samples().iloc[0]
    response = client.get(f"/lineage/garments/{sample['image_id']}")
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "<script" not in response.text
    assert " style=" not in response.text
    for text in (sample["sample_id"], f"garments@{release.version}", sample["path"], sample["subject_id"], "Kept"):
        assert text[:16] in response.text
    assert client.get(f"/lineage/garments/{sample['sample_id']}").text == response.text
    assert client.get(f"/api/lineage/garments/{sample['image_id']}").json()["releases"]


def test_it_says_why_a_picture_is_not_in_the_release(world):
    release = build_release(world.curated, world.catalog, world.blobs, world.root, NOW)
    sample = world.curated.tables["samples"].iloc[4]
    dropped = world.but(decisions=pd.DataFrame([decision_row(sample, "noise", "drop", "noise_verdict")]))
    with client_of(dropped) as client:
        text = client.get(f"/lineage/garments/{sample['image_id']}").text
    assert "Not in the release: drop: noise_verdict" in text
    assert "a person said noise" in text
    assert release.version in text, "it stood in an older one"


def test_a_picture_kept_since_waits_for_the_next_release(world):
    sample = world.curated.tables["samples"].iloc[4]
    dropped = world.but(decisions=pd.DataFrame([decision_row(sample, "noise", "drop", "noise_verdict")]))
    release = build_release(dropped.curated, dropped.catalog, dropped.blobs, dropped.root, NOW)
    with client_of(world) as client:
        text = client.get(f"/lineage/garments/{sample['image_id']}").text
    assert f"the newest release, {release.version}, was built before this was decided" in text


def test_search_leads_to_the_page_and_strangers_are_told(client, world):
    image = world.curated.tables["samples"]["image_id"].iloc[0]
    found = client.get("/lineage/garments", params={"picture": f" {image} "})
    assert (found.status_code, found.headers["location"]) == (303, f"/lineage/garments/{image}")
    assert client.get("/lineage/garments").status_code == 200
    assert client.get(f"/lineage/garments/{'0' * 64}").status_code == 404
    assert client.get(f"/lineage/garments/{image}/picture.jpg").headers["content-type"] == "image/jpeg"
    assert client.get(f"/lineage/garments/{'0' * 64}/picture.jpg").status_code == 404


def test_an_address_that_is_no_web_address_is_no_link(client, world):
    from curation.review.lineage_page import safe_link

    assert safe_link("javascript:alert(1)") is None
    assert safe_link("file:Some/One.jpg") is None
    assert safe_link("https://uni.example/x") == "https://uni.example/x"
