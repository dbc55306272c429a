"""The page that tells a picture's whole story, and why it is or is not in the release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from catalog.schema import REASONS

Story = Callable[[str, str], dict[str, Any]]
"""(recipe, image or sample id) -> what `curation.release.lineage` tells; raises UsageError where nothing is known."""
Thumbnail = Callable[[str, str], bytes | None]
"""(recipe, image id) -> a small JPEG, if there is one."""


def lineage_router(story: Story, thumbnail: Thumbnail, templates: Jinja2Templates) -> APIRouter:
    """Give the routes `/lineage/<recipe>[/<id>]`, the picture on the page, and their JSON twin.

    Args:
        story: tells it.
        thumbnail: shows it.
        templates: of the app that these routes join.
    """
    router = APIRouter()

    @router.get("/lineage/{recipe}", name="lineage_search")
    def search(request: Request, recipe: str, picture: str = "") -> Response:
        wanted = picture.strip()
        if wanted:
            return RedirectResponse(request.url_for("lineage", recipe=recipe, picture=wanted).path, status_code=303)
        return templates.TemplateResponse(request, "lineage.html", {"recipe": recipe, "story": None, "reviewer": ""})

    @router.get("/lineage/{recipe}/{picture}", name="lineage", response_class=HTMLResponse)
    def page(request: Request, recipe: str, picture: str) -> Response:
        context = {"recipe": recipe, "story": story(recipe, picture), "reasons": REASONS, "reviewer": ""}
        return templates.TemplateResponse(request, "lineage.html", {**context, "safe_link": safe_link})

    @router.get("/lineage/{recipe}/{image_id}/picture.jpg", name="lineage_picture")
    def picture(recipe: str, image_id: str) -> Response:
        body = thumbnail(recipe, image_id)
        if body is None:
            return JSONResponse({"error": "no such picture"}, status_code=404)
        return Response(body, media_type="image/jpeg")  # not to be kept by a browser: a takedown must reach it

    @router.get("/api/lineage/{recipe}/{picture}", name="lineage_json")
    def facts(recipe: str, picture: str) -> dict[str, Any]:
        return story(recipe, picture)

    return router


def safe_link(url: str | None) -> str | None:
    """Give an address if it may be a link: http(s) only, as it comes from the web."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None
