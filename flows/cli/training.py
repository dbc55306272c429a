"""Commands on models: train, evaluate, predict, find."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli import options
from flows.cli.options import AsJson, Root

_RELEASE = Annotated[str, typer.Option(help="A recipe for its latest release, or recipe@version.")]
_MODEL = Annotated[str | None, typer.Option(help="Id of a finished run (default: the newest that fits).")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (train, evaluate, predict, find):
        app.command()(command)


def train(
    task: Annotated[str, typer.Argument(help="classification, regression, metric or verification")],
    release: _RELEASE,
    experiment: Annotated[str | None, typer.Option(help="Name of an experiment, or path of a TOML.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="A further setting, a.b=c.")] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Train on a release; resumes what was cut off, and returns at once where the same run is finished."""
    from flows import steps

    config = options.config_for(root)
    with options.progress_bars(is_quiet=as_json) as progress:
        result = steps.train_release(config, release, task, experiment, overrides or [], progress)
    if as_json:
        options.print_json({"run": result.run_id, "report": str(result.report_path), **result.metrics})
        return
    options.print_facts(
        f"{task} on {release}",
        {
            "run": result.run_id,
            "report": str(result.report_path),
            "first weights": result.metrics["first_weights"],
            "parameters": f"{result.metrics['parameter_count']:,}",
        },
    )
    _print_parts(result.metrics["parts"])


def evaluate(
    run: Annotated[str, typer.Argument(help="Id of a finished run.")],
    release: Annotated[str | None, typer.Option(help="Another release with the same kind of labels.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="A CSV of pairs in folds (fold,a,b,same), as LFW's View 2.")
    ] = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Measure a finished model on another release, or on a published list of pairs."""
    from catalog.errors import UsageError
    from flows import models

    if (release is None) == (pairs is None):
        raise UsageError("say what to measure on: --release RECIPE, or --pairs LIST.csv")
    config = options.config_for(root)
    content = models.evaluate_on(config, run, release) if release else models.evaluate_pairs(config, run, pairs)
    if as_json:
        options.print_json(content)
    elif release:
        _print_parts(content["parts"])
    else:
        folds = content["folds"]
        options.print_facts(
            f"{run} on {content['list']}",
            {"accuracy over folds": f"{folds['mean']:.4f} ± {folds['standard_error']:.4f}"},
        )
        _print_parts({name: content[name] for name in ("all", "neither_seen", "some_seen") if content.get(name)})


def predict(
    photos: Annotated[list[Path], typer.Argument(help="A photo; two for a model that compares.")],
    model: _MODEL = None,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Answer for a photo: the face is cut out as the model wants it."""
    from flows import models

    answer = models.predict(options.config_for(root), photos, model)
    if as_json:
        options.print_json(answer)
    else:
        options.print_facts(str(photos[0]), models.in_words(answer))


def find(
    photo: Annotated[Path, typer.Argument(help="A photo of the thing.")],
    model: _MODEL = None,
    release: Annotated[str | None, typer.Option(help="What to search (default: what the model learned from).")] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many items.")] = 10,
    root: Root = None,
    as_json: AsJson = False,
) -> None:
    """Find the items of the shop that a photo may show, the nearest first."""
    import dataclasses

    from flows import models

    found = models.find(options.config_for(root), photo, model, release, count)
    if as_json:
        options.print_json([dataclasses.asdict(each) for each in found])
        return
    rows = [
        [each.rank, each.label, f"{each.cosine:.3f}", each.page_url or each.image_url, str(each.path)]
        for each in found
    ]
    options.print_table(str(photo), ["rank", "item", "cosine", "link", "picture"], rows)


def _print_parts(parts: dict[str, dict[str, Any]]) -> None:
    """A column per part, a row per figure: figures are many, parts are few."""
    names = [name for name, value in next(iter(parts.values())).items() if isinstance(value, int | float)]
    rows = [[name, *(_figure(measures.get(name, "")) for measures in parts.values())] for name in names]
    options.print_table("Figures", ["", *(part.replace("_", " ") for part in parts)], rows)


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
