"""Random changes of training pictures, a whole batch at once and on its device: turn, zoom, shear, move and mirror."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 -- the name that all of torch's documents use
from torch import Tensor

from training.config import AugmentConfig


def augment(images: Tensor, settings: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Change each picture on its own; what comes in from beyond the border repeats the border.

    Args:
        images: (B, C, S, S) float32, square.
        settings: how far.
        generator: on the CPU, so that every device sees the same changes.

    Returns:
        (B, C, S, S) float32, the same range.
    """
    if not is_active(settings):
        return images
    transforms = random_transforms(len(images), settings, generator).to(images.device, non_blocking=True)
    grid = F.affine_grid(transforms, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def is_active(settings: AugmentConfig) -> bool:
    """Tell whether the settings change anything."""
    extents = (settings.rotation_deg, settings.zoom_frac, settings.shear_deg, settings.shift_frac)
    return settings.flip or any(extents)


def random_transforms(count: int, settings: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Draw affine maps from target to source positions.

    Returns:
        (count, 2, 3) float32, in the units of `affine_grid` (-1 to 1 across the picture).
    """
    # Always the same five draws, so that switching one change off leaves the others as they were.
    draws = torch.rand((5, count), generator=generator) * 2 - 1
    angle = draws[0] * math.radians(settings.rotation_deg)
    zoom = 1 + draws[1] * settings.zoom_frac
    shear = torch.tan(draws[2] * math.radians(settings.shear_deg))
    shift = draws[3:5] * settings.shift_frac * 2
    mirror = torch.ones(count)
    if settings.flip:
        mirror[torch.rand(count, generator=generator) < 0.5] = -1.0
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    first = torch.stack([cos * mirror, cos * shear - sin, shift[0]], dim=1)
    second = torch.stack([sin * mirror, sin * shear + cos, shift[1]], dim=1)
    return torch.stack([first, second], dim=1)
