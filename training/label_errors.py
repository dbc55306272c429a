"""Labels that are probably wrong: confident learning on out-of-fold probabilities.

The probabilities come from a linear classifier on the packaged backbone's features, fitted on the other folds, so that
no sample is judged by a model that has seen it or its group.

Source: C. Northcutt, L. Jiang and I. Chuang, Confident Learning (2021), section 3: a sample is doubted where another
class is as probable as that class is on average for the samples that bear it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from catalog.suspects import Suspect

if TYPE_CHECKING:
    from training.data import TrainingData

FOLDS = 5


def out_of_fold_probs(
    features: NDArray[np.float32], targets: NDArray[np.int64], groups: NDArray[np.int64], folds: int, seed: int
) -> NDArray[np.float64]:
    """Give each sample the class probabilities of a classifier that saw neither it nor its group.

    Args:
        features: (N, D).
        targets: (N,) class indices, each class in at least `folds` groups.
        groups: (N,) samples that must stay together.
        folds: 2 or more.
        seed: of the folds.

    Returns:
        (N, K); rows sum to 1.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    class_count = int(targets.max()) + 1
    probs = np.full((len(targets), class_count), 1 / class_count)
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(features, targets, groups):
        if not len(train) or not len(test) or len(np.unique(targets[train])) < 2:
            continue
        # Strongly regularised: there are more features than samples, and sure mistakes would be worth nothing.
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
        model.fit(features[train], targets[train])
        part = np.zeros((len(test), class_count))
        part[:, model.classes_] = model.predict_proba(features[test])
        probs[test] = part
    return probs


def doubted(probs: NDArray[np.float64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Say for each sample which class it probably is of, where that is not its own.

    Args:
        probs: (N, K) out-of-fold probabilities.
        targets: (N,) the labels.

    Returns:
        (N,) the suggested class; -1 where the label is not doubted.
    """
    class_count = probs.shape[1]
    usual = np.array([
        probs[targets == index, index].mean() if (targets == index).any() else np.inf for index in range(class_count)
    ])  # fmt: skip
    reaches = probs >= usual
    best = np.where(reaches, probs, -1.0).argmax(axis=1)
    is_doubted = reaches.any(axis=1) & (best != targets)
    return np.where(is_doubted, best, -1).astype(np.int64)


def find_suspects(data: TrainingData, classes: tuple[str, ...], seed: int) -> list[Suspect]:
    """Look for wrong labels in a release.

    Args:
        data: a release with labels.
        classes: of the labels, in the order of their indices.
        seed: of the folds.

    Returns:
        One entry per doubted sample; none where a class has too few groups to be judged.
    """
    samples = data.samples
    targets = samples["label"].map({name: index for index, name in enumerate(classes)}).to_numpy(np.int64)
    groups = np.unique(samples["group_id"].to_numpy(str), return_inverse=True)[1]
    smallest = min(len(np.unique(groups[targets == index])) for index in range(len(classes)))
    if smallest < FOLDS:
        return []
    probs = out_of_fold_probs(_features(data), targets, groups, FOLDS, seed)
    suggested = doubted(probs, targets)
    return [
        Suspect(
            sample_id=samples["sample_id"].iloc[row],
            image_id=samples["image_id"].iloc[row],
            label=classes[targets[row]],
            suggested=classes[suggested[row]],
            label_prob=round(float(probs[row, targets[row]]), 6),
            suggested_prob=round(float(probs[row, suggested[row]]), 6),
        )
        for row in np.flatnonzero(suggested >= 0)
    ]


def _features(data: TrainingData) -> NDArray[np.float32]:
    """Embed the released pictures with the packaged backbone, (N, D), a few at a time."""
    from backbones.embedder import embed

    parts = []
    for path in data.samples["path"]:
        with Image.open(data.release.folder / path) as image:
            parts.append(embed([np.asarray(ImageOps.exif_transpose(image).convert("RGB"))])[0])
    return np.stack(parts)
