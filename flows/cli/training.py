"""Commands on models: train."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.cli import options
from flows.cli.options import AsJson, Root


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(train)


def train(
    task: Annotated[str, typer.Argument(help="classification, ...")],
    release: Annotated[str, typer.Option(help="A recipe for its latest release, or recipe@version.")],
    experiment: Annotated[str | None, typer.Option(help="Name of an experiment.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="A further setting, a.b=c.")] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Train on a release; resumes what was cut off, and returns at once where the same run is finished."""
    from flows import steps

    config = options.config_for(root)
    with options.progress_bars(is_quiet=as_json) as progress:
        result = steps.train_release(config, release, task, experiment, overrides or [], progress)
    facts = {"run": result.run_id, "report": str(result.report_path), **result.metrics}
    plain: dict[str, Any] = {"run": result.run_id, "report": str(result.report_path)}
    for part, figures in result.metrics["parts"].items():
        plain |= {f"{part} {name}": value for name, value in figures.items() if isinstance(value, int | float)}
    if as_json:
        options.print_json(facts)
    else:
        options.print_facts(f"{task} on {release}", plain)
