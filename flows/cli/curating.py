"""Commands that decide what goes in: curate, review, lineage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli import options
from flows.cli.options import AsJson, Executor, Root, Workers

_RECIPE = Annotated[str, typer.Argument(help="Name of a recipe, or path of its TOML.")]


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
    from catalog.db import Catalog
    from curation.release.lineage import lineage as tell
    from flows import steps

    config = options.config_for(root)
    curated = steps.curate_recipe(config, recipe)
    with Catalog(config.catalog_url) as catalog:
        story = tell(catalog, curated, config.data_root, image)
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


def review_export(file: Annotated[Path, typer.Argument(help="JSONL file to write.")], root: Root = None) -> None:
    """Write all answers as JSON lines."""
    from catalog.db import Catalog
    from curation.review.exchange import export_verdicts

    with Catalog(options.config_for(root).catalog_url) as catalog:
        typer.echo(f"{export_verdicts(catalog, file)} answers written to {file}")


def review_import(file: Annotated[Path, typer.Argument(help="JSONL file to read.")], root: Root = None) -> None:
    """Read answers back; those that are known are not added twice."""
    from catalog.db import Catalog
    from curation.review.exchange import import_verdicts

    with Catalog(options.config_for(root).catalog_url) as catalog:
        typer.echo(f"{import_verdicts(catalog, file)} new answers read from {file}")
