from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from catalog.errors import UsageError
from catalog.paths import DataRoot
from catalog.release_format import Release
from training.app import create_app
from training.train import train

NOW = "2026-11-21T05:00:00Z"
SMALL = ("machine.threads=1", "machine.accelerator=cpu", "model.name=small_cnn", "model.is_pretrained=false",
         "data.size_px=32", "data.mode=grey", "model.dense=16", "task.width=8", "batch_size=8",
         "task.mine_every_steps=2", "phases.tune.epochs=1")  # fmt: skip


def _decode(model: Mapping[str, Any], body: bytes) -> np.ndarray:
    try:
        return np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))
    except OSError as error:
        raise UsageError("no picture <b>") from error


@pytest.fixture
def release(make_release: Callable[..., Release]) -> Release:
    return make_release(slots=("seller", "buyer"))


@pytest.fixture
def run(release: Release, root: DataRoot) -> str:
    return train("metric", release, root, experiment="street2shop_small", overrides=SMALL, now=NOW).run_id


def _client(release: Release, root: DataRoot, **settings: Any) -> TestClient:
    app = create_app(
        root=root, photo_for_model=_decode, release_of=lambda folder: release, in_words=lambda answer: {}, **settings
    )
    return TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)


def test_a_photo_finds_items_whose_pictures_and_links_the_page_shows(
    release: Release, root: DataRoot, run: str
) -> None:
    client = _client(release, root)
    assert run in client.get("/").text
    page = client.get(f"/{run}")
    assert 'type="file"' in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    sample = release.samples().iloc[0]
    with (release.folder / sample["path"]).open("rb") as photo:
        answer = client.post(f"/{run}", files={"photo": photo})
    assert answer.status_code == 200
    shown = re.findall(rf'src="(/{run}/pictures/\w+)"', answer.text)
    assert len(shown) == 4, "four items, each once"
    picture = client.get(shown[0])
    assert picture.status_code == 200
    assert Image.open(io.BytesIO(picture.content)).size == (72, 72)
    buyers = release.samples().query("slot == 'buyer'")["sample_id"]
    assert client.get(f"/{run}/pictures/{buyers.iloc[0]}").status_code == 404, "only what is searched is served"
    assert client.get(f"/{run}/pictures/..%2f..%2fmanifest.json").status_code == 404
    assert not [path for path in Path(root.root).rglob("*") if path.suffix in (".jpg", ".upload")], "nothing is kept"


def test_what_is_no_photo_or_comes_from_elsewhere_is_refused(release: Release, root: DataRoot, run: str) -> None:
    client = _client(release, root)
    wrong = client.post(f"/{run}", files={"photo": b"hello"})
    assert wrong.status_code == 422
    assert "no picture &lt;b&gt;" in wrong.text
    two = client.post(f"/{run}", files=[("photo", ("a.png", b"x")), ("photo", ("b.png", b"x"))])
    assert "takes 1 photos, 2 came" in two.text
    assert "no finished model" in client.get("/run_0000000000000000").text
    elsewhere = {"Origin": "http://evil.example"}
    assert client.post(f"/{run}", files={"photo": b"x"}, headers=elsewhere).status_code == 403
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    guarded = _client(release, root, token="s3cret")
    assert guarded.get("/").status_code == 401
    assert guarded.get("/", headers={"Authorization": "Bearer s3cret"}).status_code == 200
