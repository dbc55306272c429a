"""Semi-hard triplets whose anchor comes from one domain and whose positive and negative come from the other.

A negative is semi-hard where it is farther from the anchor than the positive, but by less than the margin: harder ones
are often wrong labels and let a training collapse, easier ones teach nothing.

Source: F. Schroff, D. Kalenichenko and J. Philbin, FaceNet (2015), section 3.2; distances are squared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def choose_triplets(
    vectors: NDArray[np.float32],
    items: NDArray[np.int64],
    is_anchor: NDArray[np.bool_],
    count: int,
    margin: float,
    random: Generator,
) -> NDArray[np.int64]:
    """Choose triplets among embedded pictures (offline mining).

    Args:
        vectors: (N, D), L2-normalised.
        items: (N,) what each picture shows.
        is_anchor: (N,) whether it is of the domain that anchors come from.
        count: how many triplets.
        margin: of the squared distances.
        random: generator; draws anchors, and a positive of each.

    Returns:
        (count, 3) indices of anchor, positive, negative. The negative is the nearest semi-hard one; where there is
        none, the nearest of those farther than the positive; where there are none either, the farthest of all.
        Empty where no item stands in both domains, or the other domain shows one item only.
    """
    others = np.flatnonzero(~is_anchor)
    anchors = np.flatnonzero(is_anchor & np.isin(items, items[others]))
    if not len(anchors) or len(np.unique(items[others])) < 2:
        return np.empty((0, 3), np.int64)
    rounds = -(-count // len(anchors))
    drawn = np.concatenate([random.permutation(anchors) for _ in range(rounds)])[:count]
    distances = 2 - 2 * (vectors[drawn] @ vectors[others].T)
    is_own = items[drawn, np.newaxis] == items[others]
    # A random one among the own: the largest of random numbers that others do not take part in.
    positive = np.where(is_own, random.random(is_own.shape), -1.0).argmax(axis=1)
    gap = distances - distances[np.arange(len(drawn)), positive, np.newaxis]
    beyond = np.where(~is_own & (gap > 0), distances, np.inf)
    nearest = beyond.argmin(axis=1)  # semi-hard if any is: the nearest beyond the positive is the first to be so
    farthest = np.where(is_own, -np.inf, distances).argmax(axis=1)
    negative = np.where(np.isfinite(beyond.min(axis=1)), nearest, farthest)
    return np.stack([drawn, others[positive], others[negative]], axis=1)


def triplet_loss(vectors: Tensor, margin: float) -> Tensor:
    """Give the mean of max(0, |a - p|^2 - |a - n|^2 + margin) over triplets (B, 3, D)."""
    anchor, positive, negative = vectors.unbind(dim=1)
    near = (anchor - positive).square().sum(dim=1)
    far = (anchor - negative).square().sum(dim=1)
    return (near - far + margin).relu().mean()


def batch_triplet_loss(vectors: Tensor, items: Tensor, margin: float) -> Tensor:
    """Give the triplet loss of pairs (B, 2, D) with negatives from the batch itself (online mining).

    The negative of an anchor is the nearest other item's picture of the positives' domain that lies beyond its own
    positive, else the farthest; an anchor without any other item in the batch counts nothing.

    Args:
        vectors: anchor and positive, L2-normalised.
        items: (B,) what they show.
        margin: of the squared distances.
    """
    anchor, positive = vectors.unbind(dim=1)
    distances = (2 - 2 * anchor @ positive.T).clamp_min(0)
    near = distances.diagonal()
    is_other = items[:, None] != items[None, :]
    infinity = float("inf")
    beyond = distances.masked_fill(~(is_other & (distances > near[:, None])), infinity).amin(dim=1)
    farthest = distances.masked_fill(~is_other, -infinity).amax(dim=1)
    far = beyond.where(beyond.isfinite(), farthest)
    has_other = is_other.any(dim=1)
    losses = (near - far + margin).relu().where(has_other, near.new_zeros(()))
    return losses.sum() / has_other.sum().clamp_min(1)
