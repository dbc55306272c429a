"""Networks that compare pictures: one makes a vector of length 1 of a picture, one looks at two pictures at once."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.config import ModelConfig
from training.looks import Looks
from training.models import GridFeatures, PictureModel, create_backbone, pooled


class EmbeddingModel(PictureModel):
    """A backbone and a head whose output is L2-normalised: (B, C, S, S) float32 in [0, 1] to (B, D) float32.

    Args:
        backbone: pictures to features.
        head: features to vectors.
        statistics: `mean` and `std` of `PictureModel`.
        classes: how many classes it is trained to tell apart, each by a direction of its own; 0 for none.
        width: D.
        is_flip_averaged: whether, outside training, a picture and its mirror image are embedded together.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        statistics: dict[str, list[float]],
        *,
        classes: int,
        width: int,
        is_flip_averaged: bool,
    ) -> None:
        super().__init__(backbone, head, **statistics, looks=Looks(mirror=is_flip_averaged))
        self.centres = nn.Parameter(torch.randn(classes, width)) if classes else None

    def forward(self, images: Tensor) -> Tensor:
        """Compute the vectors; a mean of two is brought back to length 1."""
        return functional.normalize(super().forward(images), dim=1)

    def from_features(self, features: Tensor) -> Tensor:
        """Compute the vectors from what `features` gave."""
        return functional.normalize(self.head(features), dim=1)

    def class_cosines(self, vectors: Tensor) -> Tensor:
        """Compare vectors (B, D) with the direction of every class: cosines (B, K)."""
        return functional.linear(vectors, functional.normalize(self.centres, dim=1))


def create_embedding_model(
    settings: ModelConfig,
    channels: int,
    size_px: int,
    width: int,
    *,
    classes: int = 0,
    is_flip_averaged: bool = False,
    is_normed: bool = True,
) -> EmbeddingModel:
    """Build an embedding network.

    Args:
        settings: name, `dense` (width of the head's ELU layer, 0 for none) and `dropout_frac`.
        channels: 1 for grey, 3 for RGB.
        size_px: side of the square input.
        width: D.
        classes: see `EmbeddingModel`.
        is_flip_averaged: see `EmbeddingModel`.
        is_normed: whether a batch normalisation ends the head, which centres the vectors.

    Raises:
        UsageError: see `training.models.create_model`.
    """
    backbone, statistics = create_backbone(settings, channels)
    pool, features = pooled(backbone, 3 if statistics else channels, size_px)
    layers: list[nn.Module] = [*pool, nn.Dropout(settings.dropout_frac)]
    if settings.dense:
        layers += [nn.Linear(features, settings.dense), nn.ELU()]
    layers.append(nn.Linear(settings.dense or features, width))
    if is_normed:
        layers.append(nn.BatchNorm1d(width, affine=False))
    return EmbeddingModel(
        backbone, nn.Sequential(*layers), statistics, classes=classes, width=width, is_flip_averaged=is_flip_averaged
    )


class FrozenFeatures(nn.Module):
    """What a network's backbone gives at its end, L2-normalised: the embedding that needs no training."""

    def __init__(self, model: PictureModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Compute the vectors."""
        backbone = self.model.backbone
        features = (backbone.model if isinstance(backbone, GridFeatures) else backbone)(self.model.normed(images))
        return functional.normalize(features.flatten(2).mean(2) if features.ndim == 4 else features, dim=1)


class SiameseModel(nn.Module):
    """Two branches with shared weights, their absolute difference, and one logit: (B, 2C, S, S) to (B, 1).

    The two pictures of a pair are stacked along the channels, so that the exported network has one input.

    Args:
        channels: C of one picture.
        size_px: S.
        dense: width of a branch's output.
        dropout_frac: before the last layer.

    Source: after G. Koch, R. Zemel and R. Salakhutdinov, Siamese Neural Networks for One-shot Image Recognition
    (2015); leaky ReLU of slope 0.33 as in B. Xu et al., Empirical Evaluation of Rectified Activations (2015).
    """

    def __init__(self, channels: int, size_px: int, dense: int, dropout_frac: float) -> None:
        super().__init__()
        self.channels = channels
        layers: list[nn.Module] = []
        before = channels
        for after in (32, 64, 128):
            # Pooling before the activation gives the same numbers, as both are monotonic, at a quarter of its cost.
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.MaxPool2d(2), nn.LeakyReLU(0.33)]
            before = after
        side = size_px // 8
        layers += [nn.Flatten(), nn.Linear(before * side * side, dense), nn.LeakyReLU(0.33)]
        self.backbone = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(dropout_frac), nn.Linear(dense, 1))

    def forward(self, pairs: Tensor) -> Tensor:
        """Compute the logit of `both are the same`."""
        batch, _, height, width = pairs.shape
        vectors = self.backbone(pairs.reshape(2 * batch, self.channels, height, width)).reshape(batch, 2, -1)
        return self.head((vectors[:, 0] - vectors[:, 1]).abs())
