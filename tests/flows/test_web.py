from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from catalog.blobs import BlobStore
from catalog.config import Config
from flows.sheets import index_path
from flows.web import build_app


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A root with one picture on the sheet `kept` of the recipe majors, and one whose bytes are gone."""
    config = Config(root=tmp_path)
    stream = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 30, 30)).save(stream, "JPEG")
    image_id = BlobStore(config.data_root.blobs).put(stream.getvalue())
    path = index_path(config, "majors")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"kept": [image_id, "0" * 64]}))
    config.data_root.runs.mkdir()
    (config.data_root.runs / "metrics.json").write_text("{}")
    return config


def test_a_sheet_is_drawn_from_what_is_there_now(config: Config) -> None:
    client = TestClient(build_app(config), base_url="http://127.0.0.1")
    answer = client.get("/sheets/majors/kept.jpg")
    sheet = Image.open(io.BytesIO(answer.content))
    assert sheet.size == (1120, 112)
    red, _, blue = sheet.getpixel((56, 56))  # type: ignore[misc]
    assert red > 150 > blue
    assert sheet.getpixel((112 + 20, 56)) == pytest.approx((222, 222, 222), abs=6), "a lost picture is a grey tile"
    assert answer.headers["cache-control"] == "no-store"
    assert "kept.jpg" in client.get("/sheets/majors").text
    (image_id, _) = json.loads(index_path(config, "majors").read_text())["kept"]
    BlobStore(config.data_root.blobs).delete(image_id)
    again = Image.open(io.BytesIO(client.get("/sheets/majors/kept.jpg").content))
    assert again.getpixel((20, 56)) == pytest.approx((222, 222, 222), abs=6), "a picture taken down is still shown"


@pytest.mark.parametrize("path", ["/sheets/majors/nonsense.jpg", "/sheets/no-such-recipe", "/runs/../../etc/passwd"])
def test_what_is_not_there_is_not_found(config: Config, path: str) -> None:
    assert TestClient(build_app(config), base_url="http://127.0.0.1").get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/runs/metrics.json", "/sheets/majors", "/sheets/majors/kept.jpg"])
def test_beyond_loopback_everything_asks_for_the_token(config: Config, path: str) -> None:
    client = TestClient(build_app(config, ["gleaner.example"], "secret"), base_url="http://gleaner.example")
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"Authorization": "Bearer secret"}).status_code == 200
    assert client.get(path, headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/health").text == "ok"
