from __future__ import annotations

import math

import torch

from training.augment import augment, random_transforms
from training.config import AugmentConfig


def test_nothing_set_changes_nothing() -> None:
    images = torch.rand(3, 1, 8, 8)
    assert augment(images, AugmentConfig(), torch.Generator()) is images


def test_a_mirror_is_exact_and_takes_about_half() -> None:
    images = torch.rand(200, 2, 9, 9)
    changed = augment(images, AugmentConfig(flip=True), torch.Generator().manual_seed(1))
    mirrored = [torch.allclose(new, old.flip(-1), atol=1e-5) for new, old in zip(changed, images, strict=True)]
    kept = [torch.allclose(new, old, atol=1e-5) for new, old in zip(changed, images, strict=True)]
    assert all(one != other for one, other in zip(mirrored, kept, strict=True))
    assert 70 < sum(mirrored) < 130


def test_draws_follow_the_generator_and_stay_within_their_bounds() -> None:
    settings = AugmentConfig(rotation_deg=20, zoom_frac=0.2, shift_frac=0.1, flip=True)
    first = random_transforms(500, settings, torch.Generator().manual_seed(5))
    again = random_transforms(500, settings, torch.Generator().manual_seed(5))
    assert torch.equal(first, again)
    assert not torch.equal(first, random_transforms(500, settings, torch.Generator().manual_seed(6)))
    scale = 1 / first[:, :, :2].det().abs().sqrt()
    angle = torch.atan2(first[:, 1, 0].abs(), first[:, 0, 0].abs()) * 180 / math.pi
    assert 0.8 <= scale.min() < 0.82
    assert 1.18 < scale.max() <= 1.2001
    assert 19 < angle.max() <= 20.01
    assert 0.19 < first[:, :, 2].abs().max() <= 0.2


def test_a_zoom_keeps_the_centre_and_moves_the_border() -> None:
    ramp = torch.linspace(-1, 1, 65).expand(1, 1, 65, 65)
    grown = augment(ramp, AugmentConfig(zoom_frac=0.3), torch.Generator().manual_seed(2))
    slope = (grown[0, 0, 32, 40] - grown[0, 0, 32, 24]) / (ramp[0, 0, 32, 40] - ramp[0, 0, 32, 24])
    assert abs(grown[0, 0, 32, 32]) < 1e-5
    assert 0.7 < 1 / slope < 1.3
    assert abs(slope - 1) > 0.01
