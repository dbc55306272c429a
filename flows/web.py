"""The web app: review pages, release and training results, behind one address on loopback.

`python -m flows.web` is what `gleanery up` runs.
"""

from __future__ import annotations

import os
from pathlib import Path

import uvicorn
from curation.review.app import create_app
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse

from catalog.config import Config, load_config
from catalog.db import Catalog
from curation.contract import Curated
from flows import steps

_SHOWN_SUFFIXES = {".html", ".json", ".md", ".png", ".csv", ".jpg"}
"""What may be read of runs and releases through the web: no checkpoints, no databases."""


def build_app(config: Config) -> FastAPI:
    """Mount the apps into one: `/review`, `/runs/...` and `/releases/...` as files, `/health`."""
    app = FastAPI(title="Gleanery", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> PlainTextResponse:
        return PlainTextResponse("ok")

    @app.get("/")
    def home() -> RedirectResponse:
        return RedirectResponse("/review")

    for name, folder in (("runs", config.data_root.runs), ("releases", config.data_root.releases)):
        _serve_files(app, name, folder)

    def load_curated(recipe: str) -> Curated:
        return steps.curate_recipe(config, recipe, executor_name="inline")

    review = create_app(
        open_catalog=lambda: Catalog(config.catalog_url), load_curated=load_curated,
        recipes=lambda: _recipes_with_gates(config),
    )  # fmt: skip
    app.mount("/review", review)
    return app


def _serve_files(app: FastAPI, name: str, folder: Path) -> None:
    root = folder.resolve()

    @app.get(f"/{name}/{{path:path}}", name=name)
    def file(path: str) -> FileResponse:
        found = (root / path).resolve()
        if not found.is_relative_to(root) or found.suffix not in _SHOWN_SUFFIXES or not found.is_file():
            raise HTTPException(404, "no such file")
        return FileResponse(found, headers={"X-Content-Type-Options": "nosniff"})


def _recipes_with_gates(config: Config) -> list[str]:
    """Names of the recipes that ask people anything."""
    from catalog.recipe import SHIPPED

    folders = (config.data_root.recipes, *SHIPPED)
    names = sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
    return [name for name in names if steps.recipe_named(config, name).gates]


def serve(config: Config, host: str = "127.0.0.1") -> None:
    """Serve until SIGTERM or Ctrl-C."""
    uvicorn.run(build_app(config), host=host, port=config.web_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    settings = load_config(os.environ)
    serve(settings, settings.prefect_host)
