"""Commands that decide what goes in: curate, review, lineage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import options
from flows.cli.options import AsJson, Executor, Root, Workers

_RECIPE = Annotated[str, typer.Argument(help="Name of a recipe, or path of its TOML.")]
_Format = Annotated[str, typer.Option("--format", help="jsonl or label-studio.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(curate)
    app.command()(lineage)
    review = typer.Typer(help="Judge cards in the browser; export and import answers.", no_args_is_help=True)
    review.command("serve")(review_serve)
    review.command("export")(review_export)
    review.command("import")(review_import)
    app.add_typer(review, name="review")


def curate(
    recipe: _RECIPE,
    workers: Workers = None,
    executor: Executor = None,
    since: Annotated[
        str | None, typer.Option(metavar="RUN", help="Show only pictures that this run, or a later one, brought.")
    ] = None,
    explain: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="Tell at the end what was decided on this picture, and why.")
    ] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Measure new pictures and decide anew; ends with the funnel and the reasons."""
    from catalog.db import Catalog
    from curation.funnel import funnel, reason_counts, since_run
    from curation.release.lineage import lineage as tell
    from flows import steps

    config = options.config_for(root, workers=workers, executor=executor)
    with options.progress_bars(is_quiet=as_json) as progress:
        curated = steps.curate_recipe(config, recipe, progress)
    with Catalog(config.catalog_url) as catalog:
        shown = since_run(curated, catalog, since) if since else curated
        left, reasons = funnel(shown, catalog), reason_counts(shown)
        story = tell(catalog, curated, config.data_root, explain) if explain else None
    if as_json:
        counts = dict(curated.counts)
        options.print_json(
            {"counts": counts, "funnel": left.to_dict("records"), "reasons": reasons.to_dict("records")}
            | ({} if story is None else {"story": story})
        )
        return
    options.print_table(f"Funnel of {recipe}", list(left.columns), left.to_numpy().tolist())
    options.print_table("Not kept, and why", list(reasons.columns), reasons.to_numpy().tolist())
    if story is not None:
        options.print_story(story)


def lineage(
    image: Annotated[str, typer.Argument(help="Image or sample id, or a picture file.")],
    recipe: Annotated[str, typer.Option(help="Recipe whose decisions are told.")] = "majors",
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Tell the whole story of a picture: where it stood, what was measured and decided, where it went."""
    from flows import steps

    story = steps.tell_lineage(options.config_for(root), recipe, image)
    if as_json:
        options.print_json(story)
    else:
        options.print_story(story)


def review_serve(
    root: Root = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port to listen on (default: the setting web_port).")] = None,
) -> None:
    """Serve the review pages and results until Ctrl-C."""
    from flows.web import serve

    config = options.config_for(root, web_port=port)
    typer.echo(f"review at http://{host}:{config.web_port}/", err=True)
    serve(config, host)


def review_export(
    file: Annotated[Path, typer.Argument(help="File to write.")],
    form: _Format = "jsonl",
    recipe: Annotated[str, typer.Option(help="label-studio: recipe whose cards become tasks.")] = "",
    queue: Annotated[str, typer.Option(help="Only this queue; label-studio needs one.")] = "",
    pictures: Annotated[
        Path | None,
        typer.Option(help="label-studio: folder to write the pictures to, served there as local files."),
    ] = None,
    root: Root = None,
) -> None:
    """Write all answers as JSON lines, or a queue as Label Studio tasks with annotations and predictions."""
    from catalog.db import Catalog
    from catalog.errors import UsageError
    from curation.review.exchange import export_verdicts

    config = options.config_for(root)
    if _checked_format(form) == "jsonl":
        with Catalog(config.catalog_url) as catalog:
            typer.echo(f"{export_verdicts(catalog, file, queue or None)} answers written to {file}")
        return
    if not recipe or not queue:
        raise UsageError("--format label-studio: say --recipe and --queue")
    from flows import steps

    count, config_file = steps.export_label_studio(config, recipe, queue, file, pictures)
    typer.echo(f"{count} tasks written to {file}; the labelling configuration is {config_file}")


def review_import(
    file: Annotated[Path, typer.Argument(help="File to read.")], form: _Format = "jsonl", root: Root = None
) -> None:
    """Read answers back; those that are known are not added twice."""
    from catalog.db import Catalog
    from curation.review.exchange import import_verdicts
    from curation.review.label_studio import import_annotations

    read = import_verdicts if _checked_format(form) == "jsonl" else import_annotations
    with Catalog(options.config_for(root).catalog_url) as catalog:
        typer.echo(f"{read(catalog, file)} new answers read from {file}")


def _checked_format(form: str) -> str:
    from catalog.errors import UsageError

    if form not in ("jsonl", "label-studio"):
        raise UsageError(f"--format {form!r}, expected jsonl or label-studio")
    return form
