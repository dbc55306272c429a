"""Several looks at one picture: as it is, mirrored, nearer and farther; the mean of their answers errs less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Looks:
    """Which looks are taken."""

    mirror: bool = False
    """Whether the mirror image is looked at too."""
    zooms: tuple[float, ...] = (1.0,)
    """By how much the picture is enlarged, each above 0."""

    def answer(self, network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Give the mean of what a network says of every look at pictures (B, C, S, S): (B, ...)."""
        views = [enlarged(images, zoom) for zoom in self.zooms]
        if self.mirror:
            views += [view.flip(-1) for view in views]
        return torch.stack([network(view) for view in views]).mean(0)


def enlarged(images: Tensor, zoom: float) -> Tensor:
    """Enlarge pictures (B, C, S, S) about their centre; below 1 the rim repeats the border, as in augmentation."""
    side = int(images.shape[-1])  # a number in an exported model too
    rim = round(side * (zoom - 1) / 2)  # whole on each side: a mirror image must stay one
    if not rim:
        return images
    resized = side + 2 * rim
    images = functional.interpolate(images, (resized, resized), mode="bilinear", align_corners=False)
    if rim > 0:
        return images[..., rim:-rim, rim:-rim]
    return functional.pad(images, (-rim,) * 4, mode="replicate")
