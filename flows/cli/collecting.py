"""Commands that bring pages and pictures in: source, probe, crawl, import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import options
from flows.cli.options import AsJson, Root

if TYPE_CHECKING:
    from catalog.config import Config
    from catalog.schema import RunRecord
    from spiders.sources import Source

_KIND = Annotated[str, typer.Option(help="staff, item, listing or reviews.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(probe)
    app.command()(crawl)
    app.command("import")(import_)
    sources = typer.Typer(help="Declarations of sites.", no_args_is_help=True)
    sources.command("list")(source_list)
    sources.command("new")(source_new)
    sources.command("check")(source_check)
    app.add_typer(sources, name="source")


def probe(
    target: Annotated[str, typer.Argument(help="Address of a page, or a saved file.")],
    kind: _KIND = "staff",
    base_url: Annotated[str, typer.Option(help="Address that a saved file came from.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what would be collected from one page; touches no data root."""
    from spiders.probe import probe as probe_page

    document, exit_code = probe_page(target, base_url, kind, options.config_for(None))
    if as_json:
        options.print_json(document)
    else:
        _print_probe(document)
    raise typer.Exit(exit_code)


def crawl(
    names: Annotated[list[str] | None, typer.Argument(help="Names or patterns of sources.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All sources that are enabled.")] = False,
    url: Annotated[str | None, typer.Option(help="A staff page without a declaration.")] = None,
    label: Annotated[str | None, typer.Option(help="Label for --url.")] = None,
    recipe: Annotated[str | None, typer.Option(help="The sources of a recipe, as it wants them.")] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="Of a shop: this category alone; may be repeated.")
    ] = None,
    pages: Annotated[int | None, typer.Option(min=1, help="Of a shop: pages of each list.")] = None,
    max_items: Annotated[int | None, typer.Option(min=1, help="Of a shop: items of each category.")] = None,
    item: Annotated[list[str] | None, typer.Option(help="Address or id of one item; may be repeated.")] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Crawl sources, resuming what was cut off; lands new pages and pictures and takes them into the catalog."""
    from spiders.declare import source_of_url
    from spiders.shops import item_sources, of_categories, with_limits

    config = options.config_for(root)
    if url is not None:
        chosen = [source_of_url(url, label=label)]
    elif item:
        from flows import steps

        chosen = item_sources(steps.all_sources(config), names or [], item)
    else:
        chosen = _choose(config, names or (["*"] if every else []), recipe)
    chosen = with_limits(of_categories(chosen, category or []), pages=pages, max_items=max_items)
    runs = _crawl_all(config, chosen, is_quiet=as_json)
    _print_runs(config, runs, as_json=as_json)
    if any(run.state != "ok" for run in runs):
        raise typer.Exit(1)


def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of pictures.")],
    layout: Annotated[str, typer.Option(help="identities, classes, scut, lfwcrop, index-csv or shop.")],
    name: Annotated[str | None, typer.Option(help="Name of the source (default: the folder's).")] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Make a run out of a folder, so that a data set that exists goes down the same road."""
    from flows import steps

    config = options.config_for(root)
    source_name = name or folder.resolve().name.lower().replace(" ", "-")
    with options.progress_bars(is_quiet=as_json) as progress:
        run = steps.import_folder(config, folder, layout, source_name, progress)
    _print_runs(config, [run], as_json=as_json)
    if run.state != "ok":
        raise typer.Exit(1)


def source_list(root: Root = None, as_json: AsJson = False) -> None:
    """List the declared sources."""
    from flows import steps

    rows = [
        {
            "name": source.name,
            "kind": source.kind,
            "label": source.label,
            "url": source.url,
            "enabled": source.is_enabled,
        }
        for source in steps.all_sources(options.config_for(root)).values()
    ]
    if as_json:
        options.print_json(rows)
    else:
        options.print_table(
            "Sources", ["name", "kind", "label", "url", "enabled"], [list(row.values()) for row in rows]
        )


def source_new(
    url: Annotated[str, typer.Argument(help="Address of the staff page.")],
    label: Annotated[str, typer.Option(help="Label of the people there.")],
    name: Annotated[str | None, typer.Option(help="Name of the source (default: from the address).")] = None,
    case: Annotated[Path | None, typer.Option(help="Folder for the fixture case (default: in the data root).")] = None,
    root: Root = None,
) -> None:
    """Declare a site: fetch its page once, keep it as a fixture case, write the TOML, show what was found."""
    from flows import steps
    from spiders.declare import new_source

    config = options.config_for(root)
    path, document = new_source(
        url, label=label, name=name, case_folder=case, config=config, suppressions=steps.takedowns(config)
    )
    _print_probe(document)
    typer.echo(f"wrote {path}")


def source_check(
    names: Annotated[list[str] | None, typer.Argument(help="Names or patterns of sources.")] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Crawl a little of each source and say what changed, what is missing, what is refused; nothing lands."""
    from flows import steps
    from spiders.declare import choose_sources

    config = options.config_for(root)
    rows = [steps.check_source(config, source) for source in choose_sources(steps.all_sources(config), names or ["*"])]
    if as_json:
        options.print_json(rows)
    else:
        options.print_table("Sources", list(rows[0]), [list(row.values()) for row in rows])
    if any(row["state"] != "ok" for row in rows):
        raise typer.Exit(1)


def _choose(config: Config, names: list[str], recipe: str | None) -> list[Source]:
    from catalog.errors import UsageError
    from flows import steps
    from spiders.declare import choose_sources

    if recipe is not None:
        declared = steps.recipe_named(config, recipe)
        sources = [source for source in steps.sources_of_recipe(config, declared) if not names or source.name in names]
        if not sources:
            raise UsageError(f"recipe {recipe}: no enabled source matches {', '.join(names or declared.sources)}")
        return sources
    if not names:
        text = "say which sources: names, --all, --recipe, --item, or --url with --label"
        raise UsageError(f"{text}; `gleanery source list` shows them")
    return choose_sources(steps.all_sources(config), names)


def _crawl_all(config: Config, sources: list[Source], *, is_quiet: bool) -> list[RunRecord]:
    from concurrent.futures import ThreadPoolExecutor

    from flows import steps

    with options.progress_bars(is_quiet=is_quiet) as progress, ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda source: steps.collect_source(config, source, progress), sources))


def _print_runs(config: Config, runs: list[RunRecord], *, as_json: bool) -> None:
    from flows import steps

    rows = [steps.run_facts(config, run) for run in runs]
    if as_json:
        options.print_json([{"run_id": run.run_id, **row} for run, row in zip(runs, rows, strict=True)])
    else:
        options.print_table("Collected", list(rows[0]), [list(row.values()) for row in rows])


def _print_probe(document: dict[str, Any]) -> None:
    records = document["records"]
    columns = [key for key in (records[0] if records else {}) if not isinstance(records[0][key], dict | list)]
    title = f"{document['kind']}, page format {document['page_format']}: {len(records)} records"
    options.print_table(title, columns, [[record[column] for column in columns] for record in records])
    for issue in document["issues"]:
        typer.echo(f"{issue['reason']}: {issue['where']} {issue['detail']}".rstrip())
    if document["pages"]:
        typer.echo(f"would follow {len(document['pages'])} pages, the first: {document['pages'][0]}")
