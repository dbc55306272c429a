"""One self-contained HTML page per run: what the model does right and wrong, and how it was trained."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from catalog import files
from training import figures
from training.data import TrainingData
from training.sections import Chart, Gallery, Section, Table

TEMPLATES = Path(__file__).parent / "templates"
PICTURE_PX = 96
"""Height of the samples shown."""
_COLOURS = ["#2f7fd1", "#e07b39", "#3fa66b", "#b65fb0", "#c9a227", "#4fb3bf", "#d1556b", "#8a8f98"]
_THEMES = {"light": {"ink": "#1f2933", "grid": "#d9dee5"}, "dark": {"ink": "#e4e8ee", "grid": "#3a4450"}}

RESEARCH_NOTE = (
    "For research and teaching. Figures hold for the release named here and for nothing beyond it; the model must not "
    "be used to judge, select or sort persons, and a wrong answer is to be expected at the rate shown."
)


@dataclass(frozen=True, slots=True)
class ReportContent:
    """All that a report shows."""

    title: str
    headline: Sequence[tuple[str, str, str]]
    """Name, value and small print of the figures at the top."""
    sections: Sequence[Section]
    facts: Sequence[tuple[str, Mapping[str, Any]]]
    """Titled name-value lists: data, settings, versions."""
    limits: str


def parts_section(parts: Mapping[str, Mapping[str, Any]]) -> Section:
    """Put the figures of all parts side by side."""
    names = [name for name, value in next(iter(parts.values())).items() if isinstance(value, int | float)]
    rows = tuple(
        (
            name.removesuffix("_frac").replace("_", " "),
            *(_figure(measures[name]) if name in measures else "" for measures in parts.values()),
        )
        for name in names
    )
    head = ("", *(part.replace("_", " ") for part in parts))
    text = "A figure that is much better on train than on test was learned by heart."
    return Section("All parts", text, (Table(head, rows),))


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def curves_section(phases: Sequence[Any], headline: str) -> Section:
    """Show how the training went.

    Args:
        phases: the `PhaseResult`s.
        headline: measure drawn beside the loss.
    """
    histories = [(each.phase, each.history) for each in phases]
    losses = np.array([loss for each in phases for loss in each.step_losses])
    epochs = Chart(
        "curves",
        "A validation loss that rises while the training loss falls means: the network learns pictures by heart.",
        lambda figure: figures.draw_curves(figure, histories, headline),
    )
    steps = Chart("steps", "Every step of the training.", lambda figure: figures.draw_steps(figure, losses))
    return Section("Training", "The weights of the epoch with the lowest validation loss are kept.", (epochs, steps))


def write_report(folder: Path, content: ReportContent, data: TrainingData) -> Path:
    """Write `report.html`, and its drawings (in light colours) under figures/.

    Args:
        folder: of the run.
        content: what to show.
        data: where the pictures of the galleries are.

    Returns:
        Path of the page.
    """
    paths = dict(zip(data.samples["sample_id"], data.samples["path"], strict=True))
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        chart=lambda chart: _chart_html(chart, folder / "figures"),
        thumbnail=lambda sample_id: _thumbnail(data.release.folder / paths[sample_id]),
        kind=_kind,
        as_text=_as_text,
    )
    page = environment.get_template("report.html").render(content=content, note=RESEARCH_NOTE)
    path = folder / "report.html"
    files.write_text(path, page)
    return path


def _kind(part: Table | Chart | Gallery) -> str:
    return type(part).__name__


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def draw_png(chart: Chart, theme: str) -> bytes:
    """Draw a chart on a transparent ground.

    Args:
        chart: what to draw.
        theme: `light` or `dark`.

    Returns:
        PNG bytes, the same for the same chart.
    """
    ink, grid = _THEMES[theme]["ink"], _THEMES[theme]["grid"]
    names = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color")
    colours = dict.fromkeys(names, ink) | {"axes.edgecolor": grid, "grid.color": grid, "axes.facecolor": "none"}
    style = {"font.family": "DejaVu Sans", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
             "axes.prop_cycle": mpl.cycler(color=_COLOURS)}  # fmt: skip
    with mpl.rc_context(colours | style):
        figure = Figure(figsize=chart.size, layout="constrained")
        chart.draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=130, transparent=True, metadata={"Software": None})
    return buffer.getvalue()


def _chart_html(chart: Chart, folder: Path) -> Markup:
    light, dark = draw_png(chart, "light"), draw_png(chart, "dark")
    files.write_bytes(folder / f"{chart.name}.png", light)
    width = int(chart.size[0] * 96)
    return Markup(
        '<picture><source media="(prefers-color-scheme: dark)" srcset="{}">'
        '<img src="{}" alt="{}" width="{}"></picture>'
    ).format(_data_uri(dark, "png"), _data_uri(light, "png"), chart.caption, width)


def _thumbnail(path: Path) -> str:
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    width = max(1, round(upright.width * PICTURE_PX / upright.height))
    buffer = io.BytesIO()
    upright.resize((width, PICTURE_PX), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=88)
    return _data_uri(buffer.getvalue(), "jpeg")


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
