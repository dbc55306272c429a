"""Random changes of training pictures, a whole batch at once and on its device.

Turn, zoom, shear, move and mirror in one resampling; then light, colour, and a square left out.
"""

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
    if settings.flip or any(_extents(settings)):
        transforms = random_transforms(len(images), settings, generator).to(images.device, non_blocking=True)
        grid = F.affine_grid(transforms, list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    if settings.light_frac or settings.colour_frac:
        images = change_light(images, settings, generator)
    return erase(images, settings.erase_frac, generator) if settings.erase_frac else images


def _extents(settings: AugmentConfig) -> tuple[float, ...]:
    return (settings.rotation_deg, settings.zoom_frac, settings.shear_deg, settings.shift_frac)


def is_active(settings: AugmentConfig) -> bool:
    """Tell whether the settings change anything."""
    shades = (settings.light_frac, settings.colour_frac, settings.erase_frac)
    return settings.flip or any(_extents(settings)) or any(shades)


def change_light(images: Tensor, settings: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast about the picture's mean, and each channel's gain; (B, C, S, S) in [0, 1]."""
    count, channels = images.shape[:2]
    draws = (torch.rand((count, 2 + channels), generator=generator) * 2 - 1).to(images.device, non_blocking=True)
    bright = 1 + settings.light_frac * draws[:, 0, None, None, None]
    contrast = 1 + settings.light_frac * draws[:, 1, None, None, None]
    gain = 1 + settings.colour_frac * draws[:, 2:, None, None]
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (((images - mean) * contrast + mean) * bright * gain).clamp(0, 1)


def erase(images: Tensor, side_frac: float, generator: torch.Generator) -> Tensor:
    """Grey out a square at a random place of half of the pictures; (B, C, S, S)."""
    count, size = len(images), images.shape[-1]
    draws = torch.rand((3, count), generator=generator).to(images.device, non_blocking=True)
    side = side_frac * size
    start = draws[:2] * (size - side)
    places = torch.arange(size, device=images.device)
    inside = (places >= start[..., None]) & (places < start[..., None] + side)
    square = inside[0, :, :, None] & inside[1, :, None, :] & (draws[2] < 0.5)[:, None, None]
    return images.masked_fill(square[:, None], 0.5)


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
