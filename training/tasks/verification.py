"""Verification: do two pictures show the same person? By a siamese network, or by the cosine of embeddings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from training import figures
from training.config import TrainingConfig, read_task_settings
from training.measures import calibrate, roc_curve, verification_measures
from training.pairs import DISJOINT, Pairs, deal_pairs, draw_pairs
from training.sections import Chart, Gallery, Section, Table
from training.tasks.task import Outputs

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from training.batches import Examples
    from training.data import TrainingData

SHOWN_COUNT = 12
"""How many of the surest mistakes of each kind the report shows."""
TRAIN_SHOWN_PAIRS = 2000
"""Figures of the train part are of so many of its pairs."""
KINDS = ("pairs", "identities", "whitened")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSettings:
    """Settings `task.*` of verification."""

    kind: str = "pairs"
    """`pairs`: a siamese network learns from pairs. `identities`: an embedding learns to tell the people of the train
    part apart, and pairs are compared by its cosine. `whitened`: the same comparison, the embedding solved in closed
    form from a frozen backbone's features (see `training.whitening`)."""
    disjoint: str = "person"
    """What the parts do not share: `person`, `image`, or `none` (see `training.pairs`)."""
    train_pairs: int = 0
    """Pairs to draw; 0 takes the release's, for person-disjoint parts only."""
    validation_pairs: int = 0
    test_pairs: int = 0
    width: int = 256
    """Length of an embedding; not of pairs."""
    margin: float = 0.3
    """By which the cosine with the own class must exceed the others; identities only."""
    scale: float = 24.0
    """Of the cosines before the softmax; identities only."""
    is_flip_averaged: bool = True
    """Whether a picture and its mirror image are embedded together; identities only."""
    shrinkage: float = 0.3
    """How little the covariance is believed (see `training.whitening.fit_whitening`); whitened only."""


@dataclass(frozen=True, slots=True)
class VerificationTask:
    """Same or different, with a threshold from the validation pairs."""

    settings: VerificationSettings
    seed: int
    """Of the pairs that are drawn."""
    identity_count: int
    """People of the train part, or 0 where pairs are learned from."""
    slope: float = 0.0
    """Of the calibration (see `training.measures.calibrate`); 0 before there is one."""
    threshold: float = 0.0
    name = "verification"
    headline = "accuracy"
    has_single_examples = False
    is_measured_whole = True
    """The validation loss is that of `measure` over all pairs, not the mean over batches."""

    @classmethod
    def from_data(cls, data: TrainingData, config: TrainingConfig) -> VerificationTask:
        """Read the settings and count the people.

        Raises:
            UsageError: a bad setting, or a release without pairs where they are needed.
        """
        settings = read_task_settings(VerificationSettings, config)
        if settings.kind not in KINDS:
            raise UsageError(f"task.kind {settings.kind!r}, expected one of {', '.join(KINDS)}")
        if settings.disjoint not in DISJOINT:
            raise UsageError(f"task.disjoint {settings.disjoint!r}, expected one of {', '.join(DISJOINT)}")
        if settings.kind != "pairs" and settings.disjoint != "person":
            raise UsageError(
                f"task.kind={settings.kind} learns the people of the train part: task.disjoint must be person"
            )
        if settings.shrinkage < 0:
            raise UsageError(f"task.shrinkage {settings.shrinkage}, expected at least 0")
        if settings.kind == "pairs" and config.model.name != "siamese":
            raise UsageError(f"task.kind=pairs needs model.name=siamese, found {config.model.name!r}")
        learned = data.subject_codes[data.rows("train")]
        task = cls(settings, config.seed, len(np.unique(learned)) if settings.kind == "identities" else 0)
        for part in ("train", "validation"):
            if len(np.unique(task._pairs(data, part)[1])) < 2:
                raise UsageError(f"verification needs pairs of one and of two people in {part}; there are too few")
        return task

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> VerificationTask:
        """Make the task of a finished model."""
        settings = VerificationSettings(**facts["settings"])
        return cls(settings, facts["seed"], facts["identity_count"], facts["slope"], facts["threshold"])

    def facts(self) -> dict[str, Any]:
        """Give settings, number of people, and calibration."""
        return {
            "settings": dataclasses.asdict(self.settings),
            "seed": self.seed,
            "identity_count": self.identity_count,
            "slope": self.slope,
            "threshold": self.threshold,
        }

    @classmethod
    def is_inner_trait(cls, samples: pd.DataFrame) -> bool:
        """Who a person is is no inner trait."""
        return False

    @property
    def views(self) -> int:
        """How many pictures the exported network takes at once, stacked along the channels."""
        return 2 if self.settings.kind == "pairs" else 1

    def build_model(self, config: TrainingConfig, channels: int) -> nn.Module:
        """Build the siamese network, or the embedding with a direction per person."""
        from training.embedding import SiameseModel, create_embedding_model

        size_px = config.data.size_px
        if self.settings.kind == "pairs":
            return SiameseModel(channels, size_px, config.model.dense, config.model.dropout_frac)
        is_learned = self.settings.kind == "identities"
        return create_embedding_model(
            config.model, channels, size_px, self.settings.width, classes=self.identity_count, is_normed=is_learned,
            is_flip_averaged=is_learned and self.settings.is_flip_averaged,
        )  # fmt: skip

    def solve(self, model: nn.Module, features: NDArray[np.float32], data: TrainingData) -> None:
        """Set the head from the features (N, D) of the train part's pictures.

        Raises:
            UsageError: the settings ask for a network that learns by steps, or nobody has two pictures.
        """
        from training.whitening import whiten_head

        if self.settings.kind != "whitened":
            raise UsageError(f"task.kind={self.settings.kind} learns by steps; closed_form needs task.kind=whitened")
        whiten_head(model.head, features, data.subject_codes[data.rows("train")], self.settings.shrinkage, self.seed)

    def examples(self, data: TrainingData, part: str, seed: int) -> Examples:
        """Give the pairs of a part; of the train part the first ones."""
        from training.batches import Examples

        pairs, is_same = self._pairs(data, part)
        if part == "train":
            pairs, is_same = pairs[:TRAIN_SHOWN_PAIRS], is_same[:TRAIN_SHOWN_PAIRS]
        return Examples(pairs, is_same)

    def training_examples(
        self, data: TrainingData, seed: int, embed: Callable[[NDArray[np.int64]], NDArray[np.float32]]
    ) -> Examples:
        """Give all training pairs, or every picture of the train part with its person."""
        from training.batches import Examples

        if self.settings.kind == "pairs":
            return Examples(*self._pairs(data, "train"))
        rows = data.rows("train")
        _, codes = np.unique(data.subject_codes[rows], return_inverse=True)
        return Examples(rows[:, np.newaxis], codes.astype(np.int64))

    def _pairs(self, data: TrainingData, part: str) -> Pairs:
        """Find or draw the pairs of a part, the same ones at every call."""
        from training.batches import seed_of

        wanted = {
            "validation": self.settings.validation_pairs or 256,
            "test": self.settings.test_pairs or 2000,
            "train": self.settings.train_pairs or 40_000,
        }
        split, _, condition = part.partition("_")
        if self.settings.disjoint != "person":
            random = np.random.default_rng(seed_of(self.seed, "pairs", self.settings.disjoint))
            return deal_pairs(data.subject_codes, self.settings.disjoint, wanted, random)[split]
        if not getattr(self.settings, f"{split}_pairs") and (found := released_pairs(data, split)) is not None:
            pairs, is_same = found
            kept = np.isin(pairs, data.rows(part)).all(axis=1) if condition else np.ones(len(pairs), bool)
            return pairs[kept], is_same[kept]
        random = np.random.default_rng(seed_of(self.seed, "pairs", part))
        return draw_pairs(data.subject_codes, data.rows(part), wanted[split], random)

    def forward(self, model: nn.Module, images: Tensor) -> Tensor:
        """Compute a logit (B, 1) of pairs, the cosine (B, 1) of two embeddings, or cosines with all people (B, K)."""
        if self.settings.kind == "pairs":
            return model(images.flatten(1, 2))
        vectors = model(images.flatten(0, 1))
        if images.shape[1] == 1:
            return model.class_cosines(vectors)
        vectors = vectors.unflatten(0, images.shape[:2])
        return (vectors[:, 0] * vectors[:, 1]).sum(dim=1, keepdim=True)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Give the binary cross entropy of pairs, or the cross entropy of people with a margin on the cosine.

        Source: H. Wang et al., CosFace: Large Margin Cosine Loss (2018), equation 4.
        """
        from torch.nn import functional

        if self.settings.kind == "pairs":
            return functional.binary_cross_entropy_with_logits(outputs[:, 0], targets.to(outputs.dtype))
        own = functional.one_hot(targets, outputs.shape[1])
        return functional.cross_entropy(self.settings.scale * (outputs - self.settings.margin * own), targets)

    def fitted(self, outputs: Outputs) -> VerificationTask:
        """Take slope and threshold from the validation pairs."""
        slope, threshold = calibrate(outputs.values[:, 0], outputs.targets.astype(np.int64))
        return dataclasses.replace(self, slope=slope, threshold=threshold)

    def measure(self, outputs: Outputs) -> dict[str, Any]:
        """Measure accuracy and its kin (see `verification_measures`).

        Before there is a calibration, the one that fits these pairs best is taken.
        """
        task = self if self.slope else self.fitted(outputs)
        return verification_measures(
            outputs.values[:, 0], outputs.targets.astype(np.int64), task.slope, task.threshold
        )

    def describe(self, values: NDArray[np.float32]) -> dict[str, Any]:
        """Say whether a pair shows the same person, and how probable that is."""
        value = float(values[0])
        return {
            "is_same": value > self.threshold,
            "same_prob": float(1 / (1 + np.exp(-self.slope * (value - self.threshold)))),
            "value": value,
            "threshold": self.threshold,
        }

    def predictions(self, outputs: Outputs) -> dict[str, NDArray[Any]]:
        """Give the value that is compared with the threshold, and the answer."""
        values = outputs.values[:, 0]
        return {"value": values, "predicted": (values > self.threshold).astype(np.int64)}

    def limits(self) -> str:
        """Say what the parts share."""
        return {
            "person": "No person stands in two parts.",
            "image": "No picture stands in two parts, but people do: strangers are recognised less often than this.",
            "none": "Pictures and people stand in several parts, only no pair does: strangers are recognised far less "
            "often than this.",
        }[self.settings.disjoint]

    def sections(self, measures: Mapping[str, Any], outputs: Outputs, data: TrainingData) -> list[Section]:
        """Show the figures, ROC, the spread of the values, and the surest mistakes as pictures."""
        values, is_same = outputs.values[:, 0], outputs.targets.astype(np.int64)
        names = ("accuracy", "error_frac", "precision", "recall", "f1", "auc", "equal_error_frac")
        rows = tuple((name.removesuffix("_frac").replace("_", " "), f"{measures[name]:.4f}") for name in names)
        table = Table(("measure", "value"), rows)
        roc = Chart(
            "roc",
            "Right against wrong acceptances over all thresholds; the dot is the threshold in use.",
            lambda figure: figures.draw_roc(
                figure, *roc_curve(values, is_same), _point(values, is_same, self.threshold)
            ),
            (5.2, 4.6),
        )
        skew = Chart(
            "skew",
            "How the values of same and of different pairs lie about the threshold (dashed); where the two overlap "
            "are the mistakes. "
            f"{measures['predicted_same_frac']:.1%} are called the same, {measures['same_frac']:.1%} are.",
            lambda figure: figures.draw_skew(figure, values, is_same, self.threshold),
        )
        return [
            Section("Figures", "Threshold from the validation pairs. " + self.limits(), (table, roc, skew)),
            Section("Wrong pairs", "The surest mistakes first.", self._galleries(values, is_same, outputs, data)),
        ]

    def _galleries(
        self, values: NDArray[np.float32], is_same: NDArray[np.int64], outputs: Outputs, data: TrainingData
    ) -> tuple[Gallery, ...]:
        ids = data.samples["sample_id"].to_numpy()
        wrong = np.flatnonzero((values > self.threshold) != is_same.astype(bool))
        order = wrong[np.argsort(-np.abs(values[wrong] - self.threshold), kind="stable")]

        def gallery(title: str, of: int) -> Gallery:
            chosen = [index for index in order if is_same[index] == of][:SHOWN_COUNT]
            shown = []
            for index in chosen:
                pair = tuple(str(each) for each in ids[outputs.rows[index]])
                shown.append((pair, f"{self.describe(outputs.values[index])['same_prob']:.0%} same"))
            return Gallery(title, tuple(shown))

        return gallery("Two people, taken for one", 0), gallery("One person, taken for two", 1)


def released_pairs(data: TrainingData, split: str) -> Pairs | None:
    """Read the release's own pairs of a split, as rows; None where it has none."""
    table = data.release.pairs()
    if table is None or not (table["split"] == split).any():
        return None
    table = table[table["split"] == split]
    ids = data.samples["sample_id"].to_numpy(str)  # sorted: rows are in the order of sample_id
    sides = [np.searchsorted(ids, table[f"sample_id_{side}"].to_numpy(str)) for side in "ab"]
    pairs, is_same = np.stack(sides, axis=1).astype(np.int64), table["is_same"].to_numpy(np.int64)
    # The table is sorted; a part of it must be a fair one.
    mixed = np.random.default_rng(0).permutation(len(pairs))
    return pairs[mixed], is_same[mixed]


def _point(values: NDArray[np.float32], is_same: NDArray[np.int64], threshold: float) -> tuple[float, float]:
    predicted, truth = values > threshold, is_same.astype(bool)
    return float(predicted[~truth].mean()) if (~truth).any() else 0.0, float(predicted[truth].mean())
