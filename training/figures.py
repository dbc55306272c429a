"""The drawings of the reports; every function draws into a figure that the report gives, in colours set around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.measures import running_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_curves(figure: Figure, phases: Sequence[tuple[str, Sequence[dict[str, float]]]], headline: str) -> None:
    """Draw loss and the headline measure over all epochs; a line marks where a phase begins."""
    rows = [row for _, history in phases for row in history]
    epochs = np.arange(1, len(rows) + 1)
    left, right = figure.subplots(1, 2)
    learned = [row.get("train_loss", np.nan) for row in rows]  # none where a phase was solved
    left.plot(epochs, learned, label="train", marker="o", markersize=3)
    left.plot(epochs, [row["validation_loss"] for row in rows], label="validation", marker="o", markersize=3)
    left.set(title="Loss", xlabel="epoch")
    values = np.array([row[f"validation_{headline}"] for row in rows])
    right.plot(epochs, values, label="validation", marker="o", markersize=3, color="C1")
    right.plot(epochs, running_mean(values, 5), label="mean of 5", linestyle="--", color="C2")
    right.set(title=headline.capitalize(), xlabel="epoch")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
        start = 0
        for _, history in phases[:-1]:
            start += len(history)
            axes.axvline(start + 0.5, linewidth=1, linestyle=":", color="C7")
        _legend_below(axes)


def draw_steps(figure: Figure, losses: NDArray[np.float64], window: int = 50) -> None:
    """Draw the training loss of every step, and its running mean."""
    axes = figure.subplots()
    steps = np.arange(1, len(losses) + 1)
    axes.plot(steps, losses, linewidth=0.6, alpha=0.4, label="each step")
    axes.plot(steps, running_mean(losses, window), linewidth=1.8, label=f"mean of {window}", color="C1")
    axes.set(title="Training loss by step", xlabel="step")
    _legend_below(axes)


def draw_confusion(figure: Figure, classes: Sequence[str], matrix: NDArray[Any]) -> None:
    """Draw a confusion matrix with counts and per cent of all samples; the shade is the share of the true class."""
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    # One blue whose strength is the share: it stands on a light page and on a dark one.
    cells = np.empty((*shares.shape, 4))
    cells[..., :3], cells[..., 3] = (0.18, 0.45, 0.75), 0.05 + 0.95 * shares
    axes.imshow(cells, aspect="auto")
    total = max(int(matrix.sum()), 1)
    for row, column in np.ndindex(*matrix.shape):
        count = int(matrix[row, column])
        text = axes.text(column, row, f"{count}\n{count / total:.1%}", ha="center", va="center", fontsize=10)
        if shares[row, column] > 0.5:
            text.set_color("white")
    axes.set_xticks(range(len(classes)), classes)
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="true")
    axes.spines[:].set_visible(False)


def draw_distribution(figure: Figure, classes: Sequence[str], matrix: NDArray[Any]) -> None:
    """Draw how often each class is real and how often it is predicted."""
    axes = figure.subplots()
    places = np.arange(len(classes))
    for offset, counts, label in ((-0.2, matrix.sum(axis=1), "real"), (0.2, matrix.sum(axis=0), "predicted")):
        bars = axes.barh(places + offset, counts, height=0.38, label=label)
        axes.bar_label(bars, padding=3, fontsize=9)
    axes.set_yticks(places, classes)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set(xlabel="samples")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def draw_scatter(figure: Figure, targets: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
    """Draw prediction over truth, with the line on which they are equal."""
    axes = figure.subplots()
    ends = [min(targets.min(), predicted.min()), max(targets.max(), predicted.max())]
    axes.plot(ends, ends, linewidth=1, linestyle="--", color="C7")
    axes.scatter(targets, predicted, s=12, alpha=0.6, linewidths=0)
    axes.set(xlabel="truth", ylabel="prediction", aspect="equal")


def draw_histograms(figure: Figure, targets: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
    """Draw the distributions of truth and prediction over the same bins."""
    axes = figure.subplots()
    bins = np.histogram_bin_edges(np.concatenate([targets, predicted]), 30)
    axes.hist([targets, predicted], bins=bins, label=["truth", "prediction"])
    axes.set(xlabel="value", ylabel="samples")
    _legend_below(axes)


def draw_roc(
    figure: Figure, wrong_frac: NDArray[np.float64], right_frac: NDArray[np.float64], point: tuple[float, float]
) -> None:
    """Draw right over wrong acceptances, the line of chance, and the point that is used."""
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], linewidth=1, linestyle="--", color="C7", label="chance")
    axes.plot(wrong_frac, right_frac, label="this model")
    axes.plot(*point, marker="o", color="C1", linestyle="none", label="threshold in use")
    axes.set(xlabel="different pairs taken for the same", ylabel="same pairs recognised", aspect="equal")
    axes.legend(frameon=False, loc="lower right")


def draw_skew(figure: Figure, values: NDArray[np.float32], is_same: NDArray[np.int64], threshold: float) -> None:
    """Draw the distributions of same and different pairs, with the threshold between."""
    axes = figure.subplots()
    bins = np.histogram_bin_edges(values, 50)
    axes.hist(values[is_same == 0], bins=bins, alpha=0.6, label="different", color="C1")
    axes.hist(values[is_same == 1], bins=bins, alpha=0.6, label="same", color="C0")
    axes.axvline(threshold, linestyle="--", linewidth=1.5, color="C7", label="threshold")
    axes.set(xlabel="value", ylabel="pairs")
    _legend_below(axes)


def draw_recall(figure: Figure, ranks: Sequence[int], curves: dict[str, list[float]]) -> None:
    """Draw R@K over K for each named curve."""
    axes = figure.subplots()
    for name, values in curves.items():
        axes.plot(range(len(ranks)), values, marker="o", label=name)
    axes.set_xticks(range(len(ranks)), [str(rank) for rank in ranks])
    axes.set(xlabel="K", ylabel="R@K", ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower right")


def _legend_below(axes: Axes) -> None:
    """Put the legend under the axis, where it hides no curve whichever way that runs.

    Matplotlib's own search for the best place looks at every point, and warns where a busy machine makes that long.
    """
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
