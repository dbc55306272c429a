"""Commands that keep a data root in order: takedown, gc, backup, restore, handout."""

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
    for command in (takedown, gc, backup, restore, handout):
        app.command()(command)


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
    keeping.keep_request(config, wanted, picture, found)
    _carry_out(config, wanted.request_id, as_json=as_json)


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    min_age_h: Annotated[
        float, typer.Option("--min-age-hours", min=1, help="Leave what was written since; a job may run.")
    ] = 24.0,
    runs_days: Annotated[
        float | None, typer.Option(min=1, help="Also old finished training runs and failed crawls.")
    ] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Throw away derived results that nothing names, orphan blobs, and what killed writers left."""
    from flows import keeping

    config = options.config_for(root)
    with options.progress_bars(is_quiet=as_json) as progress:
        outcome = keeping.collect_garbage(
            config, dry_run=dry_run, min_age_h=min_age_h, runs_days=runs_days, progress=progress
        )
    if as_json:
        options.print_json(outcome)
        return
    kinds: dict[tuple[str, str], list[int]] = {}
    for row in outcome["found"]:
        kinds.setdefault((row["kind"], row["why"]), []).append(row["size_bytes"])
    rows = [[kind, why, len(sizes), round(sum(sizes) / 1e6, 1)] for (kind, why), sizes in sorted(kinds.items())]
    options.print_table("Would go" if dry_run else "Removed", ["what", "why", "count", "MB"], rows)
    if outcome["skipped"]:
        typer.echo(f"left out: {outcome['skipped']}")


def backup(
    target: Annotated[Path, typer.Argument(help="File to write (.tar.gz), or a folder.")],
    with_blobs: Annotated[bool, typer.Option("--with-blobs", help="Pictures and saved pages too.")] = False,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Write what cannot be made again into one file: answers, takedowns, splits, releases, landing, settings."""
    from flows import keeping

    config = options.config_for(root)
    with options.progress_bars(is_quiet=as_json) as progress:
        facts = keeping.back_up(config, target, with_blobs=with_blobs, progress=progress)
    options.print_json(facts) if as_json else options.print_facts("Backup", facts)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `gleanery backup` wrote.")],
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty data root, and fill the crawl tables again from landing."""
    from flows import keeping

    config = options.config_for(root)
    with options.progress_bars(is_quiet=as_json) as progress:
        facts = keeping.restore(config, file, progress)
    options.print_json(facts) if as_json else options.print_facts("Restored", facts)
    typer.echo(f"carry out again the takedowns that were done after {facts['made_at']}: it cannot know them", err=True)


def handout(
    release: Annotated[str, typer.Argument(help="A recipe for its latest release, or recipe@version.")],
    to: Annotated[str, typer.Option(help="Who was given it, and how they are reached.")],
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Note who was given a release, so that the receipt of a takedown says whom to tell."""
    from flows import keeping

    facts = keeping.hand_out(options.config_for(root), release, to)
    options.print_json(facts) if as_json else options.print_facts("Handed out", facts)


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
            "similar names, NOT covered": trace.similar,
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
