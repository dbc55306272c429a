"""The web app: review pages, release and training results, behind one address on loopback.

`python -m flows.web` is what `gleanery up` runs.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, PlainTextResponse

from catalog.config import Config, load_config
from catalog.db import Catalog
from catalog.errors import UsageError
from curation.contract import Curated
from curation.review.app import create_app
from flows import models, steps
from flows.photos import photo_for_model
from flows.services import is_loopback

_SHOWN_SUFFIXES = {".html", ".json", ".md", ".png", ".csv", ".jpg"}
"""What may be read of runs and releases through the web: no checkpoints, no databases."""


def build_app(config: Config, hosts: Sequence[str] = (), token: str = "") -> FastAPI:
    """Mount the apps into one: review at `/`, models to try at `/models`, runs and releases as files, `/health`.

    Args:
        config: settings.
        hosts: host names under which others reach it, beside loopback.
        token: what others must show.
    """
    app = FastAPI(title="Gleanery", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> PlainTextResponse:
        return PlainTextResponse("ok")

    for name, folder in (("runs", config.data_root.runs), ("releases", config.data_root.releases)):
        _serve_files(app, name, folder)

    def load_curated(recipe: str) -> Curated:
        # Inline: a page must not start worker processes; a flow has measured what there is.
        return steps.curate_recipe(dataclasses.replace(config, executor="inline"), recipe)

    review = create_app(
        open_catalog=lambda: Catalog(config.catalog_url),
        recipes=lambda: _recipes_with_gates(config),
        load_curated=load_curated,
        read_blob=steps.blob_store(config).get,
        now=steps.utc_now,
        new_batch_id=lambda: secrets.token_hex(8),
        hosts=hosts,
        token=token,
    )
    app.mount("/models", _models_app(config, hosts, token))
    app.mount("/", review)
    return app


def _models_app(config: Config, hosts: Sequence[str], token: str) -> FastAPI:
    from training.app import create_app as create_models_app

    return create_models_app(
        root=config.data_root,
        photo_for_model=lambda model, body: photo_for_model(config, model, body),
        release_of=lambda folder: models.searched_release(config, folder),
        in_words=models.in_words,
        hosts=hosts,
        token=token,
    )


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
    hosts = [] if is_loopback(host) else [host]
    if hosts and not config.auth:
        raise UsageError(f"to listen on {host} set auth = 'user:password': its password is the reviewers' token")
    app = build_app(config, hosts, config.auth.partition(":")[2] if hosts else "")
    uvicorn.run(app, host=host, port=config.web_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    settings = load_config(os.environ)
    serve(settings, settings.prefect_host)
