"""Regression: one picture, one number (the release's `target`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from training import figures
from training.config import TrainingConfig, read_task_settings
from training.measures import regression_measures
from training.sections import Chart, Gallery, Section, Table
from training.tasks.task import Outputs

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from training.batches import Examples
    from training.data import TrainingData

SHOWN_COUNT = 10
"""How many of the worst answers to each side the report shows."""

FITTED_COUNT_MIN = 50
"""Held-out pictures from which a line through the answers is trusted more than the network's own scale."""

RIDGES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Penalties that are tried, in shares of the sum of the features' squares."""


@dataclass(frozen=True, slots=True)
class RegressionSettings:
    """Settings `task.*`: there are none."""


@dataclass(frozen=True, slots=True)
class RegressionTask:
    """Squared error on the standardised target."""

    mean: float
    """Of the training targets."""
    std: float
    """Of the training targets."""
    percentiles: tuple[float, ...]
    """The 0th, 1st, ..., 100th of all targets of the release."""
    name = "regression"
    headline = "pearson"
    has_single_examples = True

    @classmethod
    def from_data(cls, data: TrainingData, config: TrainingConfig) -> RegressionTask:
        """Learn mean and spread from the train split.

        Raises:
            UsageError: samples without target, or training targets that are all one.
        """
        read_task_settings(RegressionSettings, config)
        targets = _targets(data)
        trained = targets[data.rows("train")]
        if trained.std() == 0:
            raise UsageError(f"regression needs targets that differ, all {len(trained)} to train on are {trained[0]}")
        percentiles = np.percentile(targets, np.arange(101)).tolist()
        return cls(float(trained.mean()), float(trained.std()), tuple(percentiles))

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> RegressionTask:
        """Make the task of a finished model."""
        return cls(facts["mean"], facts["std"], tuple(facts["percentiles"]))

    def facts(self) -> dict[str, Any]:
        """Give mean, spread and percentiles."""
        return {"mean": self.mean, "std": self.std, "percentiles": list(self.percentiles)}

    @classmethod
    def is_inner_trait(cls, samples: pd.DataFrame) -> bool:
        """Take any number given to portraits for a judgement of persons."""
        return bool((samples["slot"] == "portrait").any())

    def build_model(self, config: TrainingConfig, channels: int) -> nn.Module:
        """Build a network with one output, or two networks side by side."""
        from training.models import create_beside_model, create_model

        create = create_beside_model if config.model.beside_frac else create_model
        return create(config.model, channels, config.data.size_px, 1)

    def solve(self, model: nn.Module, features: NDArray[np.float32], data: TrainingData) -> None:
        """Set a linear head from the features (N, D) of the train part's pictures by ridge regression.

        Features are standardised first; how little they are believed is chosen by leaving each picture out once.

        Raises:
            UsageError: the head has a hidden layer, or the features are maps.
        """
        import torch
        from sklearn.linear_model import RidgeCV
        from sklearn.preprocessing import StandardScaler

        from training.models import BesideModel

        last = model.head[-1]
        if features.ndim != 2 or features.shape[1] != last.in_features:
            raise UsageError("closed_form solves one layer: set model.dense=0 and model.pooling=mean or grids")
        scaler = StandardScaler()
        scaled = scaler.fit_transform(features)
        targets = (_targets(data)[data.rows("train")] - self.mean) / self.std
        ridge = RidgeCV(alphas=np.array(RIDGES) * features.size).fit(scaled, targets)
        weights = (ridge.coef_ / scaler.scale_).astype(np.float32)
        with torch.no_grad():
            last.weight.copy_(torch.from_numpy(weights[np.newaxis]))
            last.bias.fill_(float(ridge.intercept_ - weights @ scaler.mean_))
            if isinstance(model, BesideModel):
                model.solved()

    def fitted(self, outputs: Outputs) -> RegressionTask:
        """Stretch and shift the answers so that they fit held-out pictures best.

        A mean over networks and looks lies too near the middle, as do answers learned on disturbed pictures.
        """
        answers, targets = self.values(outputs.values), outputs.targets.astype(np.float64)
        if len(answers) < FITTED_COUNT_MIN or answers.std() == 0:
            return self
        slope, offset = np.polyfit(answers, targets, 1)
        if slope <= 0:  # it learned nothing; turning it around would hide that
            return self
        return dataclasses.replace(self, mean=float(slope * self.mean + offset), std=float(slope * self.std))

    def examples(self, data: TrainingData, part: str, seed: int) -> Examples:
        """Show each sample of the part once; nothing is drawn."""
        from training.batches import Examples

        rows = data.rows(part)
        return Examples(rows[:, np.newaxis], _targets(data)[rows])

    def forward(self, model: nn.Module, images: Tensor) -> Tensor:
        """Compute the standardised number (B, 1) of the one view."""
        values: Tensor = model(images[:, 0])
        return values

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Give the mean squared error in units of the training spread."""
        from torch.nn.functional import mse_loss

        return mse_loss(outputs[:, 0], (targets - self.mean) / self.std)

    def values(self, outputs: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Turn outputs (..., 1) into numbers (...) of the target's own scale."""
        return outputs[..., 0].astype(np.float64) * self.std + self.mean

    def measure(self, outputs: Outputs) -> dict[str, Any]:
        """Measure Pearson correlation, MAE and RMSE."""
        return regression_measures(self.values(outputs.values), outputs.targets.astype(np.float64))

    def describe(self, values: NDArray[np.float32]) -> dict[str, Any]:
        """Give the number, and the share of the release's samples that lie below it."""
        value = float(self.values(values))
        below = np.interp(value, self.percentiles, np.linspace(0, 1, len(self.percentiles)))
        return {"value": value, "below_frac": float(below)}

    def predictions(self, outputs: Outputs) -> dict[str, NDArray[Any]]:
        """Give the predicted number."""
        return {"predicted": self.values(outputs.values)}

    def sections(self, measures: Mapping[str, Any], outputs: Outputs, data: TrainingData) -> list[Section]:
        """Show figures, truth against prediction, both histograms, and the answers furthest off."""
        predicted, targets = self.values(outputs.values), outputs.targets.astype(np.float64)
        names = {"pearson": "Pearson correlation", "mae": "mean absolute error", "rmse": "root mean squared error"}
        table = Table(("measure", "value"), tuple((text, f"{measures[key]:.4f}") for key, text in names.items()))
        scatter = Chart(
            "scatter",
            "Each dot is a sample; on the line the prediction is the truth.",
            lambda figure: figures.draw_scatter(figure, targets, predicted),
            (5.6, 4.8),
        )
        histograms = Chart(
            "histograms",
            "A prediction narrower than the truth leans to the middle.",
            lambda figure: figures.draw_histograms(figure, targets, predicted),
        )
        sample_ids = data.samples["sample_id"].to_numpy()[outputs.rows[:, 0]]
        order = np.argsort(predicted - targets, kind="stable")
        galleries = tuple(
            Gallery(
                title, tuple((str(sample_ids[each]), f"{predicted[each]:.2f}, is {targets[each]:.2f}") for each in of)
            )
            for title, of in (("Too high", order[::-1][:SHOWN_COUNT]), ("Too low", order[:SHOWN_COUNT]))
        )
        return [
            Section("Figures", "How near the numbers come.", (table, scatter, histograms)),
            Section("Furthest off", "Predicted number, and the true one.", galleries),
        ]


def _targets(data: TrainingData) -> NDArray[np.float32]:
    targets = data.samples["target"].to_numpy(np.float32)
    if missing := int(np.isnan(targets).sum()):
        raise UsageError(f"{missing} of {len(targets)} samples have no target; regression needs one each")
    return targets
