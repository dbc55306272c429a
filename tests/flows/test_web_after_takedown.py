"""The web app as `gleanery up` runs it."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from catalog.config import Config
from flows import steps, web


def test_pages_are_reached_and_made_anew_after_a_takedown(tmp_path: Path, monkeypatch) -> None:
    config = Config(root=tmp_path / "root", executor="inline")
    loaded = []
    # An empty root: what curating gives stands for what was measured.
    monkeypatch.setattr(
        steps, "curate_measured", lambda config, name: loaded.append(name) or steps.curate_recipe(config, name)
    )
    with TestClient(web.build_app(config), base_url="http://127.0.0.1:8300") as client:
        assert client.get("/").status_code == 200
        assert client.get("/lineage/majors").status_code == 200
        assert client.get(f"/lineage/majors/{'0' * 64}").status_code == 404
        assert client.get("/lineage/majors/no-id").status_code == 404
        before = len(loaded)
        assert client.get("/").status_code == 200
        assert len(loaded) == before, "what is loaded is kept"
        (config.data_root.takedowns / "receipts").mkdir(parents=True)
        assert client.get("/").status_code == 200
        assert len(loaded) > before, "what was in memory may show who has gone"
