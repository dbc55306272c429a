"""The running mean of weights, against the sum written out."""

from __future__ import annotations

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel

from training.loop import running_mean


def test_the_mean_follows_its_formula_and_forgets_the_first_weights() -> None:
    model = torch.nn.BatchNorm1d(3)
    average = AveragedModel(model, multi_avg_fn=running_mean(0.9), use_buffers=True)
    generator = np.random.default_rng(4)
    expected = None
    for step in range(200):
        weights = generator.normal(size=3)
        with torch.no_grad():
            model.weight.copy_(torch.from_numpy(weights))
        model.num_batches_tracked += 1
        average.update_parameters(model)
        # The first call copies; later ones keep (1 + n) / (10 + n), at most 0.9.
        kept = min(0.9, (1 + step) / (10 + step)) if step else 0.0
        expected = weights if expected is None else kept * expected + (1 - kept) * weights
    assert expected is not None
    np.testing.assert_allclose(average.module.weight.detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    assert int(average.module.num_batches_tracked) == 200


def test_after_ten_steps_little_is_left_of_the_beginning() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = AveragedModel(model, multi_avg_fn=running_mean(0.998))
    for value in [1.0] + [0.0] * 20:
        torch.nn.init.constant_(model.weight, value)
        average.update_parameters(model)
    assert float(average.module.weight.detach()) < 1e-3
