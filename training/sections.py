"""The parts that a task's report is made of; `training.report` draws them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing; called once in light and once in dark colours."""

    name: str
    """File stem under figures/."""
    caption: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (8.0, 3.6)
    """Width and height in inches."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """A titled row of samples, or of small groups of them that belong together (a pair, a query and its answers)."""

    title: str
    samples: tuple[tuple[str | tuple[str, ...], str], ...]
    """(sample_id or several, caption) each."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a text and parts below it."""

    title: str
    text: str
    parts: tuple[Table | Chart | Gallery, ...]
