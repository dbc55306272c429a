"""Drawings of the reports: what is drawn beside what."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from matplotlib.figure import Figure

from training import figures

HISTORY = [{"train_loss": 1 / n, "validation_loss": 1.1 / n, "validation_accuracy": 1 - 1 / n} for n in range(1, 9)]
VALUES = np.random.default_rng(3).normal(size=400)
DRAWINGS = {
    "curves": partial(figures.draw_curves, phases=[("all", HISTORY)], headline="accuracy"),
    "steps": partial(figures.draw_steps, losses=np.abs(VALUES)),
    "histograms": partial(figures.draw_histograms, targets=VALUES, predicted=VALUES / 2),
    "skew": partial(
        figures.draw_skew, values=VALUES.astype(np.float32), is_same=(VALUES > 0).astype(np.int64), threshold=0.1
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_legend_hides_a_curve_and_none_leaves_the_figure(name: str) -> None:
    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    DRAWINGS[name](figure)
    figure.draw_without_rendering()
    for axes in figure.axes:
        legend = axes.get_legend()
        assert legend is not None
        place, page = legend.get_window_extent(), figure.bbox
        assert not place.overlaps(axes.get_window_extent())
        assert page.x0 <= place.x0
        assert place.x1 <= page.x1
        assert page.y0 <= place.y0
