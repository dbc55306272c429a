"""Commands that keep a data root in order: takedown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import options
from flows.cli.options import AsJson, Root

if TYPE_CHECKING:
    from curation.takedown.carry_out import Plan
    from curation.takedown.request import Request


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(takedown)


def takedown(
    name: Annotated[str | None, typer.Option(help="A person's name; - asks for it, and no history keeps it.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of a picture or a page.")] = None,
    image: Annotated[Path | None, typer.Option(help="A picture file; copies of it are found too.")] = None,
    id_: Annotated[str | None, typer.Option("--id", help="Picture, sample, subject, sighting or page id.")] = None,
    request: Annotated[str | None, typer.Option(help="Go on with a kept request, by its id.")] = None,
    same_subject: Annotated[bool, typer.Option(help="All of whom the picture or page shows.")] = False,
    reason: Annotated[str, typer.Option(help="Why; stays on the receipt, so name nobody.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree without being asked.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Agree, keep the request, print its id.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; change nothing.")] = False,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Find every trace of a person, page or picture, and on consent remove it and keep it out."""
    from catalog.errors import UsageError
    from flows import keeping

    config = options.config_for(root)
    asked = {"name": name, "url": url, "image": image, "id": id_}
    given = [(kind, value) for kind, value in asked.items() if value is not None]
    if request is not None and not given:
        _carry_out(config, request, as_json=as_json)
        return
    if len(given) != 1 or request is not None:
        raise UsageError("say one of --name, --url, --image, --id, or --request alone")
    kind, value = given[0]
    wanted, picture = keeping.request_takedown(kind, _asked(value), reason, same_subject=same_subject)
    if later:
        keeping.keep_request(config, wanted, picture)
        print_kept(wanted, as_json=as_json)
        return
    with options.progress_bars(is_quiet=as_json) as progress:
        found = keeping.plan(config, wanted, picture, progress)
    if dry_run or not _agrees(found, is_agreed=yes, as_json=as_json):
        _print_plan(found, as_json=as_json)
        return
    keeping.keep_request(config, wanted, picture)
    _carry_out(config, wanted.request_id, as_json=as_json)


def _asked(value: str | Path) -> str | Path:
    return typer.prompt("Name", hide_input=True).strip() if value == "-" else value


def _agrees(found: Plan, *, is_agreed: bool, as_json: bool) -> bool:
    """Ask a person who sits there; a program must say --yes."""
    if is_agreed:
        return True
    if as_json or not sys.stdin.isatty():
        typer.echo("nothing was changed: say --yes to agree, or --dry-run to look only", err=True)
        return False
    _print_plan(found, as_json=False)
    return typer.confirm("Remove all this and keep it out for ever?")


def _carry_out(config: Any, request_id: str, *, as_json: bool) -> None:
    from flows import keeping

    with options.progress_bars(is_quiet=as_json) as progress:
        receipt = keeping.take_down(config, request_id, progress)
    if as_json:
        options.print_json(receipt)
    else:
        options.print_story(receipt)


def _print_plan(found: Plan, *, as_json: bool) -> None:
    if as_json:
        options.print_json(found.to_json())
        return
    trace = found.trace
    options.print_story(
        {
            "names": trace.names,
            "subjects": trace.subject_ids,
            "pictures": [{"image": image, "because": how} for image, how in trace.images.items()],
            "addresses": trace.urls,
            "saved pages": trace.bodies,
            "releases": [f"{recipe}@{version}" for recipe, version in trace.releases],
            "left alone (stand for many)": [
                {"image": image, "people": count} for image, count in trace.shared.items()
            ],
        }
    )
    options.print_table("Would be cleared", ["place", "count"], [list(row) for row in found.counts.items()])


def print_kept(wanted: Request, *, as_json: bool) -> None:
    """Say which request was kept."""
    if as_json:
        options.print_json({"request_id": wanted.request_id})
    else:
        typer.echo(
            f"{wanted.request_id}: `gleanery takedown --request {wanted.request_id}`, or the deployment takedown"
        )
