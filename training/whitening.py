"""A linear map under which pictures of one person (or item) lie close together, in closed form.

Features are standardised, reduced to their principal components and then whitened by how pictures of one person differ
from each other: directions in which one face changes (light, pose, the moment) count little, those in which faces
differ count much. Pairs are then compared by the cosine.

Source: A. Hatch, S. Kajarekar and A. Stolcke, Within-Class Covariance Normalization for SVM-based Speaker Recognition
(2006); the principal components before it as in P. Belhumeur et al., Eigenfaces vs. Fisherfaces (1997).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError

if TYPE_CHECKING:
    from torch import nn


def fit_whitening(
    features: NDArray[np.float32], identities: NDArray[np.int64], width: int, shrinkage: float, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Learn the map from pictures of known people.

    Args:
        features: (N, D).
        identities: (N,) who is shown; people with one picture shape the principal components alone.
        width: K, how many principal components are kept; fewer where N or D are.
        shrinkage: share of the mean variance that is added to each direction before whitening, at least 0: how
            little the covariance is believed.
        seed: of the randomised decomposition.

    Returns:
        Weights (K, D) and bias (K,): a vector is `weights @ features + bias`; rows beyond the rank are zero.

    Raises:
        UsageError: nobody has two pictures.
    """
    from sklearn.decomposition import PCA

    kept = min(width, *features.shape)
    # Without it the loudest channels would decide which components are principal.
    spread = features.std(0)
    spread = np.maximum(spread, 1e-3 * spread.mean() or 1.0)
    scaled = features / spread
    reduction = PCA(kept, svd_solver="randomized", random_state=seed).fit(scaled)
    variation = within_person(reduction.transform(scaled), identities)
    variation += shrinkage * np.trace(variation) / kept * np.eye(kept)
    values, directions = np.linalg.eigh(variation)
    # Directions without any variation within a person say nothing that can be trusted.
    scale = np.where(values > 1e-9 * values.max(), 1 / np.sqrt(np.maximum(values, 1e-30)), 0.0)
    weights = np.zeros((width, features.shape[1]), np.float32)
    weights[:kept] = (directions * scale).T @ reduction.components_ / spread
    return weights, -weights @ features.mean(0)


def whiten_head(
    head: nn.Sequential,
    features: NDArray[np.float32],
    identities: NDArray[np.int64],
    shrinkage: float,
    seed: int,
) -> None:
    """Set a head's one layer to the map that is learned from features (N, D) of known people or items.

    Raises:
        UsageError: the head has a hidden layer, the features are maps, or nobody has two pictures.
    """
    import torch

    last: Any = head[-1]
    if features.ndim != 2 or features.shape[1] != last.in_features:
        raise UsageError("closed_form solves one layer: set model.dense=0 and model.pooling=mean or grids")
    weights, bias = fit_whitening(features, identities, last.out_features, shrinkage, seed)
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(weights))
        last.bias.copy_(torch.from_numpy(bias))


def within_person(vectors: NDArray[np.floating], identities: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the covariance (K, K) of pictures about their person's mean; each person with two or more counts alike.

    Raises:
        UsageError: nobody has two pictures.
    """
    _, codes, counts = np.unique(identities, return_inverse=True, return_counts=True)
    several = counts[codes] > 1
    if not several.any():
        raise UsageError("of nobody there are two pictures: how one person's pictures differ cannot be learned")
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, codes, vectors)
    offsets = vectors[several] - (sums / counts[:, np.newaxis])[codes[several]]
    offsets /= np.sqrt(counts[codes[several]] - 1)[:, np.newaxis]
    return np.asarray(offsets.T @ offsets / (counts > 1).sum())
