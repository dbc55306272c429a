"""Takedowns and housekeeping as plain functions, without Prefect: what the commands and the flow both call."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import image_id
from flows.progress import Progress, no_progress
from flows.steps import utc_now

if TYPE_CHECKING:
    from curation.takedown.carry_out import Plan
    from curation.takedown.request import Request


def request_takedown(kind: str, value: str | Path, reason: str, *, same_subject: bool) -> tuple[Request, bytes | None]:
    """Make a request, not kept yet; of a picture file also its bytes.

    Raises:
        UsageError: no reason, a reason that says the name, or a file that cannot be read.
    """
    from curation.takedown.request import Request
    from curation.takedown.trace import Needles

    picture = None
    if isinstance(value, Path):
        try:
            picture = value.read_bytes()
        except OSError as error:
            raise UsageError(f"{value}: {error.strerror}") from None
        value = image_id(picture)
    if not reason.strip():
        raise UsageError("a takedown needs a reason, for its receipt")
    if kind == "name" and Needles([value], (), ()).names_in(reason):
        raise UsageError("the reason names the person, and it stays on the receipt: say it without the name")
    request = Request(
        request_id=f"take_{secrets.token_hex(8)}", kind=kind, value=value, same_subject=same_subject,
        reason=reason.strip(), created_at=utc_now(),
    )  # fmt: skip
    return request, picture


def plan(config: Config, request: Request, picture: bytes | None, progress: Progress = no_progress) -> Plan:
    """Find what a request covers and count it; changes nothing."""
    from curation.places import Places
    from curation.takedown.carry_out import plan_takedown

    with Catalog(config.catalog_url) as catalog:
        return plan_takedown(Places(config, catalog), request, picture, progress)


def keep_request(config: Config, request: Request, picture: bytes | None) -> None:
    """Keep a request that somebody agreed to, so that its id is enough from here on."""
    from dataclasses import replace

    from curation.takedown.request import Requests

    Requests(config.data_root).add(replace(request, is_agreed=True), picture)


def take_down(config: Config, request_id: str, progress: Progress = no_progress) -> dict[str, Any]:
    """Carry out a kept request, or go on where it was cut off; gives the receipt.

    Raises:
        UsageError: no such request, nobody agreed to it, or a crawl of an affected source is running.
        GleaneryError: something of it is left.
    """
    from curation.places import Places
    from curation.takedown.carry_out import carry_out, written_plan
    from curation.takedown.request import Requests
    from spiders.locks import source_lock

    requests = Requests(config.data_root)
    if not requests.load(request_id).is_agreed:
        raise UsageError(f"takedown {request_id}: nobody agreed to it yet")
    with Catalog(config.catalog_url) as catalog, ExitStack() as stack:
        places = Places(config, catalog)
        stack.enter_context(requests.only_one())
        found = written_plan(places, requests, request_id, progress)
        for source in found.trace.sources:  # a crawl that runs would land what goes here
            stack.enter_context(source_lock(config.data_root.services / "locks", source))
        return carry_out(places, requests, request_id, found, utc_now, progress)
