"""Declaring sites: write a source from one look at its page, and choose among those that are declared."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalog import files
from catalog.config import Config
from catalog.errors import UsageError
from catalog.suppressions import Suppressions
from spiders.policy.address import is_loopback_host
from spiders.policy.pace import LOOPBACK_DELAY_S, PUBLIC_DELAY_S
from spiders.probe import is_address, look, save_case
from spiders.sources import Source, to_toml

_MARGIN_FRAC = 0.5
"""A page may lose half of its people, or grow to twice as many, before anybody is asked."""


def source_of_url(url: str, *, label: str | None = None, name: str | None = None, kind: str = "staff") -> Source:
    """Make the declaration of an address that is in no file.

    Raises:
        UsageError: no http(s) address, or a name that cannot be one.
    """
    if not is_address(url):
        raise UsageError(f"expected an address that begins with http:// or https://, found {url!r}")
    parts = urlsplit(url)
    is_local = is_loopback_host(parts.hostname)
    return Source(
        name=name or _slug(f"{parts.hostname or ''}-{parts.path}"), kind=kind, url=url, label=label, render="auto",
        title=parts.hostname or "", organisation=parts.hostname, allow_loopback=is_local,
        delay_s=LOOPBACK_DELAY_S if is_local else PUBLIC_DELAY_S,
    )  # fmt: skip


def new_source(
    url: str,
    *,
    label: str,
    name: str | None,
    case_folder: Path | None,
    config: Config,
    suppressions: Suppressions | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Look at a staff page once, keep it as a fixture case, and write its declaration into the data root.

    Args:
        url: the page with the people.
        label: class of everybody there.
        name: of the source; None makes one from the address.
        case_folder: where the case goes; None keeps it under the data root.
        config: root and contact.
        suppressions: takedowns that hold: a page that names somebody is not kept.

    Returns:
        The TOML's path, and the JSON of what was found.

    Raises:
        UsageError: the name is declared already, or the page gives nobody; says why, and nothing is written.
    """
    draft = source_of_url(url, label=label, name=name)
    path = config.data_root.sources / f"{draft.name}.toml"
    if path.exists():
        raise UsageError(f"{path} is there already; give another --name, or edit it")
    seen = look(url, "", "staff", config)
    if seen.exit_code:
        issue = seen.result.issues[0] if seen.result.issues else None
        raise UsageError(
            f"{url}: {issue.reason if issue else seen.result.page_format}: {issue.detail if issue else ''}"
        )
    if suppressions is None or not suppressions.names_in_page(seen.page.body):
        save_case(case_folder or config.data_root.root / "cases" / draft.name, seen.page, seen.result)
    count = len(seen.result.records)
    values = {key: getattr(draft, key) for key in ("name", "kind", "url", "label", "render", "title", "organisation")}
    source = Source(
        **values, allow_loopback=draft.allow_loopback, delay_s=draft.delay_s,
        expected_min=max(1, int(count * _MARGIN_FRAC)), expected_max=max(1, int(count / _MARGIN_FRAC)),
    )  # fmt: skip
    files.write_text(path, to_toml(source))
    return path, seen.result.to_json()


def choose_sources(sources: dict[str, Source], patterns: list[str]) -> list[Source]:
    """Choose by names or patterns: a pattern takes what is enabled, a name said in full is taken as said.

    The name of a shop stands for all its categories.

    Raises:
        UsageError: a pattern matches nothing; lists what there is.
    """
    chosen: dict[str, Source] = {}
    for pattern in patterns:
        matching = {
            name: source
            for name, source in sources.items()
            if fnmatch.fnmatchcase(name, pattern) or pattern == source.shop
        }
        if not matching:
            raise UsageError(f"no source matches {pattern!r}; there are: {', '.join(sorted(sources)) or '(none)'}")
        said = {name for name, source in matching.items() if pattern in (name, source.shop)}
        chosen |= {name: source for name, source in matching.items() if source.is_enabled or name in said}
    return [chosen[name] for name in sorted(chosen)]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80] or "source"
