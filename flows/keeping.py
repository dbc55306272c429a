"""Takedowns and housekeeping as plain functions, without Prefect: what the commands and the flow both call."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.clock import utc_now
from catalog.config import Config
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import image_id
from flows.progress import Progress, no_progress

if TYPE_CHECKING:
    from catalog.backup import Backup
    from catalog.recipe import Recipe
    from curation.takedown.carry_out import Plan
    from curation.takedown.request import Request

_READERS_PATIENCE_S = 600.0
"""A training looks after every batch; measuring a large model once more, at its end, may take minutes."""


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


def keep_request(config: Config, request: Request, picture: bytes | None, found: Plan | None = None) -> None:
    """Keep a request that somebody agreed to, so that its id is enough from here on.

    Args:
        config: settings.
        request: what was asked for.
        picture: of an `image` request.
        found: what was shown and agreed to; None finds it anew when the request is carried out.
    """
    from dataclasses import replace

    from curation.takedown.carry_out import keep_plan
    from curation.takedown.request import Requests

    requests = Requests(config.data_root)
    requests.add(replace(request, is_agreed=True), picture)
    if found is not None:
        keep_plan(requests, request.request_id, found)


def take_down(config: Config, request_id: str, progress: Progress = no_progress) -> dict[str, Any]:
    """Carry out a kept request, or go on where it was cut off; gives the receipt.

    Trainings on the affected releases are told to stop, and end as failed; their runs go with those that are finished.

    Raises:
        UsageError: no such request, nobody agreed to it, or a crawl of an affected source is running.
        GleaneryError: something of it is left, or somebody reads an affected release and does not stop.
    """
    from catalog.readers import ending
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
            stack.enter_context(source_lock(config.data_root.locks, source))
        for recipe, version in found.trace.releases:
            stack.enter_context(ending(config.data_root, recipe, version, request_id, _READERS_PATIENCE_S))
        return carry_out(places, requests, request_id, found, utc_now, progress)


def collect_garbage(
    config: Config,
    *,
    dry_run: bool,
    min_age_h: float = 24.0,
    runs_days: float | None = None,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Find what may be thrown away and, unless `dry_run`, remove it.

    Args:
        config: settings.
        dry_run: only say what would go.
        min_age_h: nothing written in the last so many hours is touched.
        runs_days: also finished training runs and failed crawls older than so many days.
        progress: moves as things go.

    Returns:
        `found`: rows of kind, name, size_bytes and why; `removed`: kind -> how many; `skipped`: what was left out.
    """
    from curation.garbage import DAY_S, clock_s, find_garbage
    from curation.places import Places

    with Catalog(config.catalog_url) as catalog, ExitStack() as stack:
        busy = _hold_sources(config, stack)
        places = Places(config, catalog)
        found = list(
            find_garbage(
                places, all_recipes(config), now_s=clock_s(), min_age_s=min_age_h * 3600,
                runs_age_s=None if runs_days is None else runs_days * DAY_S, with_blobs=not busy,
            )
        )  # fmt: skip
        removed: dict[str, int] = {}
        for number, item in enumerate(found if not dry_run else ()):
            item.remove()
            removed[item.kind] = removed.get(item.kind, 0) + 1
            progress("gc", number + 1, len(found))
    rows = [{"kind": one.kind, "name": one.name, "size_bytes": one.size_bytes, "why": one.why} for one in found]
    skipped = f"blobs, while {', '.join(busy)} is being collected" if busy else ""
    return {"found": rows, "removed": removed, "skipped": skipped}


def _hold_sources(config: Config, stack: ExitStack) -> list[str]:
    """Take the locks of all sources that ever landed; returns those that are being collected now."""
    from spiders.locks import source_lock

    landed = sorted(path.name for path in config.data_root.landing.glob("*") if path.is_dir())
    busy = []
    for source in landed:
        try:
            stack.enter_context(source_lock(config.data_root.locks, source))
        except UsageError:
            busy.append(source)
    return busy


def all_recipes(config: Config) -> list[Recipe]:
    """Read every recipe: the root's own, and those that ship."""
    from catalog.recipe import SHIPPED, load_recipe

    folders = (config.data_root.recipes, *SHIPPED)
    names = sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
    return [load_recipe(name, config.data_root.recipes) for name in names]


def back_up(config: Config, target: Path, *, with_blobs: bool, progress: Progress = no_progress) -> dict[str, Any]:
    """Write a backup of what cannot be made again."""
    from catalog.backup import back_up as write_backup

    made = write_backup(config, target, utc_now(), with_blobs=with_blobs, on_progress=_counted(progress, "backup"))
    return _backup_facts(made)


def restore(config: Config, source: Path, progress: Progress = no_progress) -> dict[str, Any]:
    """Put a backup into an empty data root."""
    from catalog.backup import restore as read_backup

    return _backup_facts(read_backup(config, source, _counted(progress, "restore")))


def hand_out(config: Config, release_name: str, to: str) -> dict[str, Any]:
    """Note that somebody was given a release, for the receipts of later takedowns; the same again is one.

    Args:
        config: settings.
        release_name: a recipe for its latest release, or recipe@version.
        to: who has it, or where it was written.

    Raises:
        UsageError: there is no such release.
    """
    from catalog.copies import Copy, known_copies, record_copy
    from catalog.release_format import find_release

    root = config.data_root
    release = find_release(root.releases, release_name)
    name = f"{release.recipe}@{release.version}"
    if (name, to) not in {(copy.what, copy.where) for copy in known_copies(root)}:
        record_copy(root, Copy(kind="handout", what=name, where=to, made_at=utc_now()))
    return {"release": name, "to": to}


def _counted(progress: Progress, what: str) -> Callable[[int], None]:
    return lambda count: progress(what, count, count)


def _backup_facts(made: Backup) -> dict[str, Any]:
    return {
        "file": str(made.path), "made_at": made.made_at, "with_blobs": made.has_blobs, "files": made.files_count,
        "size_bytes": made.size_bytes,
    }  # fmt: skip
