"""Metric learning: which item of the shop does a buyer's photo show? Pictures of one item come to lie together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from training import figures
from training.config import TrainingConfig, read_task_settings
from training.retrieval import RANKS, first_match_ranks, nearest, retrieval_measures
from training.sections import Chart, Gallery, Section, Table
from training.tasks.task import Outputs
from training.triplets import batch_triplet_loss, choose_triplets, triplet_loss

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor, nn

    from training.batches import Examples
    from training.data import TrainingData

SHOWN_COUNT = 8
"""How many queries of each kind the report shows, with ANSWERS_COUNT answers each."""
ANSWERS_COUNT = 5
GALLERY_SLOT = "seller"
MININGS = ("offline", "online")
ANCHORS = ("buyer", "seller")

Embed = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Rows (N,) to vectors (N, D)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSettings:
    """Settings `task.*` of metric learning."""

    mining: str = "offline"
    """`offline`: every `mine_every_steps` steps sampled items are embedded and semi-hard triplets chosen among them.
    `online`: each batch finds its negatives in itself."""
    anchor: str = "buyer"
    """The domain of anchors, `buyer` or `seller`; positives and negatives are of the other."""
    margin: float = 0.3
    """Of the squared distances."""
    width: int = 128
    """Length of an embedding."""
    mine_every_steps: int = 50
    """Steps between two minings; so many are called an epoch."""
    sampled_items: int = 256
    """Items looked through at a mining."""
    shrinkage: float = 0.03
    """Of a phase `closed_form`: how little the way in which pictures of one item differ is believed (see
    `training.whitening`)."""


@dataclass(frozen=True, slots=True)
class MetricTask:
    """Triplets across two domains."""

    settings: MetricSettings
    batch_size: int
    seed: int = 0
    frozen: Mapping[str, Any] = field(default_factory=dict)
    """Figures per part of the backbone's features before any training."""
    name = "metric"
    headline = "recall_at_1"
    has_single_examples = False
    is_measured_whole = True

    @classmethod
    def from_data(cls, data: TrainingData, config: TrainingConfig) -> MetricTask:
        """Read the settings.

        Raises:
            UsageError: a bad setting, or too few items with pictures of both domains to train on.
        """
        settings = read_task_settings(MetricSettings, config)
        for name, value, known in (("mining", settings.mining, MININGS), ("anchor", settings.anchor, ANCHORS)):
            if value not in known:
                raise UsageError(f"task.{name} {value!r}, expected one of {', '.join(known)}")
        if settings.shrinkage < 0:
            raise UsageError(f"task.shrinkage {settings.shrinkage}, expected at least 0")
        task = cls(settings, config.batch_size, config.seed)
        able = len(task._able_items(data))
        if able < 2:
            raise UsageError(f"metric learning needs two items with photos of seller and buyer in train, found {able}")
        queries = {part: len(task._queries(data, part)) for part in ("train", "validation")}
        if not all(queries.values()):
            raise UsageError(f"metric learning needs buyers' photos in train and validation, found {queries}")
        return task

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> MetricTask:
        """Make the task of a finished model."""
        return cls(MetricSettings(**facts["settings"]), facts["batch_size"])

    def facts(self) -> dict[str, Any]:
        """Give the settings."""
        return {"settings": dataclasses.asdict(self.settings), "batch_size": self.batch_size}

    @classmethod
    def is_inner_trait(cls, samples: pd.DataFrame) -> bool:
        """What an item is is nobody's trait."""
        return False

    def build_model(self, config: TrainingConfig, channels: int) -> nn.Module:
        """Build backbone, ELU layer and embedding."""
        from training.embedding import create_embedding_model

        return create_embedding_model(
            config.model, channels, config.data.size_px, self.settings.width, is_normed=False
        )

    def solve(self, model: nn.Module, features: NDArray[np.float32], data: TrainingData) -> None:
        """Set the embedding from the features (N, D) of the train part's pictures, of sellers and buyers alike.

        Raises:
            UsageError: see `training.whitening.whiten_head`.
        """
        from training.whitening import whiten_head

        whiten_head(model.head, features, data.subject_codes[data.rows("train")], self.settings.shrinkage, self.seed)

    def examples(self, data: TrainingData, part: str, seed: int) -> Examples:
        """Show the buyers' photos of a part, then all sellers'; targets (M, 2) are item and whether it is a query."""
        from training.batches import Examples

        queries = self._queries(data, part)
        gallery = gallery_rows(data) if len(queries) else queries
        rows = np.concatenate([queries, gallery])
        is_query = np.repeat([1, 0], [len(queries), len(gallery)])
        return Examples(rows[:, np.newaxis], np.stack([data.subject_codes[rows], is_query], axis=1))

    def training_examples(self, data: TrainingData, seed: int, embed: Embed) -> Examples:
        """Choose the triplets of the next steps by what the network sees now, or draw pairs for online mining."""
        from training.batches import Examples

        random, items = np.random.default_rng(seed), data.subject_codes
        count = self.settings.mine_every_steps * self.batch_size
        able = self._able_items(data)
        rows = data.rows("train")
        if self.settings.mining == "online":
            pairs = _cross_pairs(rows, items, self._is_anchor(data), able, count, random)
            return Examples(pairs, items[pairs[:, 0]])
        sampled = random.choice(able, min(self.settings.sampled_items, len(able)), replace=False)
        rows = rows[np.isin(items[rows], sampled)]
        triplets = choose_triplets(
            embed(rows), items[rows], self._is_anchor(data)[rows], count, self.settings.margin, random
        )
        return Examples(rows[triplets], items[rows[triplets[:, 0]]])

    def _is_anchor(self, data: TrainingData) -> NDArray[np.bool_]:
        is_seller = (data.samples["slot"] == GALLERY_SLOT).to_numpy()
        return is_seller if self.settings.anchor == "seller" else ~is_seller

    def _queries(self, data: TrainingData, part: str) -> NDArray[np.int64]:
        rows = data.rows(part)
        return rows[(data.samples["slot"].to_numpy()[rows] != GALLERY_SLOT)]

    def _able_items(self, data: TrainingData) -> NDArray[np.int64]:
        """Items of the train part with pictures of both domains."""
        rows, items = data.rows("train"), data.subject_codes
        is_seller = data.samples["slot"].to_numpy()[rows] == GALLERY_SLOT
        return np.intersect1d(items[rows[is_seller]], items[rows[~is_seller]])

    def forward(self, model: nn.Module, images: Tensor) -> Tensor:
        """Embed (B, V, C, S, S): (B, D) of single pictures, else (B, V, D)."""
        vectors = model(images.flatten(0, 1)).unflatten(0, images.shape[:2])
        return vectors[:, 0] if images.shape[1] == 1 else vectors

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Give the triplet loss, with the negatives that were chosen or those of the batch."""
        if outputs.shape[1] == 3:
            return triplet_loss(outputs, self.settings.margin)
        return batch_triplet_loss(outputs, targets, self.settings.margin)

    def measure(self, outputs: Outputs) -> dict[str, Any]:
        """Measure R@K of the queries against all sellers' pictures (see `retrieval_measures`)."""
        items, is_query = outputs.targets[:, 0].astype(np.int64), outputs.targets[:, 1].astype(bool)
        ranks = first_match_ranks(
            outputs.values[is_query], items[is_query], outputs.values[~is_query], items[~is_query]
        )
        return retrieval_measures(ranks, int((~is_query).sum()))

    def with_baseline(self, frozen: Mapping[str, Outputs]) -> MetricTask:
        """Keep what the backbone's features reach without training, per part."""
        return dataclasses.replace(self, frozen={part: self.measure(each) for part, each in frozen.items()})

    def describe(self, values: NDArray[np.float32]) -> dict[str, Any]:
        """Give the embedding."""
        return {"embedding": [float(value) for value in values]}

    def predictions(self, outputs: Outputs) -> dict[str, NDArray[Any]]:
        """Give item, whether it is a query, and for queries the rank of the first right answer (0 for none)."""
        items, is_query = outputs.targets[:, 0].astype(np.int64), outputs.targets[:, 1].astype(bool)
        found = first_match_ranks(
            outputs.values[is_query], items[is_query], outputs.values[~is_query], items[~is_query]
        )
        ranks = np.zeros(len(items), np.int64)
        ranks[is_query] = np.where(found > len(items), 0, found)
        return {"target": items, "is_query": is_query, "rank": ranks}

    def sections(self, measures: Mapping[str, Any], outputs: Outputs, data: TrainingData) -> list[Section]:
        """Show R@K before and after training, and queries with their nearest answers."""
        part = next((name for name in ("test", "validation") if name in self.frozen), "")
        before = self.frozen.get(part, {})
        rows = tuple(
            (f"R@{k}", f"{before[f'recall_at_{k}']:.3f}" if before else "-", f"{measures[f'recall_at_{k}']:.3f}")
            for k in RANKS
        )
        curves = {"trained": [measures[f"recall_at_{k}"] for k in RANKS]}
        if before:
            curves = {"frozen backbone": [before[f"recall_at_{k}"] for k in RANKS], **curves}
        chart = Chart(
            "recall",
            "Share of buyers' photos whose item is among the K nearest sellers' pictures.",
            lambda figure: figures.draw_recall(figure, RANKS, curves),
            (6.4, 3.8),
        )
        text = (
            f"{measures['count']} buyers' photos were looked up among {measures['gallery_count']} sellers' pictures; "
            f"{measures['lone_count']} show an item that no seller shows, and count as missed."
        )
        return [
            Section("Found among the first K", text, (Table(("", "frozen backbone", "trained"), rows), chart)),
            Section("Queries and their answers", "The query stands first, the nearest answers follow.",
                    self._galleries(outputs, data)),
        ]  # fmt: skip

    def _galleries(self, outputs: Outputs, data: TrainingData) -> tuple[Gallery, ...]:
        items, is_query = outputs.targets[:, 0], outputs.targets[:, 1].astype(bool)
        ids = data.samples["sample_id"].to_numpy()[outputs.rows[:, 0]].astype(str)
        gallery_ids, gallery_items = ids[~is_query], items[~is_query]
        answers, cosines = nearest(outputs.values[is_query], outputs.values[~is_query], ANSWERS_COUNT)
        is_right = gallery_items[answers] == items[is_query][:, np.newaxis]
        order = np.argsort(-cosines[:, 0], kind="stable")

        def gallery(title: str, chosen: NDArray[np.int64]) -> Gallery:
            shown = []
            for index in chosen[:SHOWN_COUNT]:
                marks = " ".join("✓" if right else "✗" for right in is_right[index])
                pictures = (str(ids[is_query][index]), *(str(each) for each in gallery_ids[answers[index]]))
                shown.append((pictures, f"{marks} · cosine {cosines[index, 0]:.2f}"))
            return Gallery(title, tuple(shown))

        first = is_right[order, 0]
        return (
            gallery("Wrong at once, the surest first", order[~first]),
            gallery("Right at once, the least sure first", order[first][::-1]),
        )


def _cross_pairs(
    rows: NDArray[np.int64],
    items: NDArray[np.int64],
    is_anchor: NDArray[np.bool_],
    able: NDArray[np.int64],
    count: int,
    random: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw (count, 2) rows of anchor and positive; every item comes equally often, in a mixed order."""
    rounds = -(-count // len(able))
    drawn = np.concatenate([random.permutation(able) for _ in range(rounds)])[:count]
    sides = []
    for side in (rows[is_anchor[rows]], rows[~is_anchor[rows]]):
        order = side[np.argsort(items[side], kind="stable")]
        starts = np.searchsorted(items[order], drawn, side="left")
        sizes = np.searchsorted(items[order], drawn, side="right") - starts
        sides.append(order[starts + random.integers(sizes)])
    return np.stack(sides, axis=1)


def gallery_rows(data: TrainingData) -> NDArray[np.int64]:
    """List all sellers' pictures of a release, of every part."""
    return np.flatnonzero((data.samples["slot"] == GALLERY_SLOT).to_numpy()).astype(np.int64)
