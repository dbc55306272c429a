"""Running networks without training them: outputs of whole parts, vectors of pictures, weights to and from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from backbones.sessions import open_onnx
from catalog.files import replacing
from training.batches import BatchFeed, Examples
from training.config import MachineConfig, TrainingConfig
from training.data import TrainingData
from training.finished import export_onnx
from training.tasks.task import Outputs, Task

TRAIN_SHOWN_COUNT = 1000
"""Figures of the train part are of so many of its pictures: they only say how much is known by heart."""


def uses_gpu(machine: MachineConfig) -> bool:
    """Tell whether a run computes on a GPU."""
    return machine.accelerator == "gpu" or (machine.accelerator == "auto" and torch.cuda.is_available())


def as_float(images: Tensor) -> Tensor:
    """Turn uint8 into float32 in [0, 1]; features, which are float32 already, stay as they are."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def gather(batches: list[tuple[Tensor, Tensor, Tensor]]) -> Outputs:
    """Join (row, target, output) batches on the host."""
    rows, targets, values = (torch.cat(parts).cpu().numpy() for parts in zip(*batches, strict=True))
    return Outputs(rows, targets, values)


def run_parts(
    task: Task, model: nn.Module, data: TrainingData, parts: Sequence[str], config: TrainingConfig
) -> dict[str, Outputs]:
    """Give a model's outputs for several parts, without the empty ones; a picture of many parts is looked at once.

    Of a large train part whose pictures stand each for itself TRAIN_SHOWN_COUNT are looked at, spread evenly over it.
    """
    outputs = {}
    examples = {part: task.examples(data, part, config.seed) for part in parts}
    examples = {part: each for part, each in examples.items() if len(each.rows)}
    if "train" in examples and task.has_single_examples:
        examples["train"] = _thinned(examples["train"], TRAIN_SHOWN_COUNT)
    singles = {part: each for part, each in examples.items() if each.rows.shape[1] == 1}
    if singles:
        rows, first = np.unique(np.concatenate([each.rows[:, 0] for each in singles.values()]), return_index=True)
        targets = np.concatenate([each.targets for each in singles.values()])[first]
        seen = _run_examples(task, model, data, Examples(rows[:, np.newaxis], targets), config).values
    for part, each in examples.items():
        if part in singles:
            outputs[part] = Outputs(each.rows, each.targets, seen[np.searchsorted(rows, each.rows[:, 0])])
        else:
            outputs[part] = _run_examples(task, model, data, each, config)
    return outputs


def _thinned(examples: Examples, count_max: int) -> Examples:
    count = len(examples.rows)
    chosen = np.linspace(0, count - 1, min(count, count_max)).round().astype(np.int64)
    return Examples(examples.rows[chosen], examples.targets[chosen])


def _run_examples(
    task: Task, model: nn.Module, data: TrainingData, examples: Examples, config: TrainingConfig
) -> Outputs:
    device = torch.device("cuda" if uses_gpu(config.machine) else "cpu")
    model.to(device).eval()
    channels = data.channels * getattr(task, "views", 1)
    network = model if device.type == "cuda" else OnnxNetwork(model, channels, data.size_px)
    batches = []
    with torch.inference_mode():
        for batch in BatchFeed(data.pixels, examples, config.batch_size):
            outputs = task.forward(network, as_float(batch["image"].to(device)))
            batches.append((batch["row"], batch["target"], outputs.float().cpu()))
    return gather(batches)


class OnnxNetwork(nn.Module):
    """A network as ONNX Runtime runs it on the CPU, where it takes a fraction of torch's time; it cannot learn.

    Args:
        model: what is run; goes to evaluation mode.
        channels: of its input.
        size_px: side of its input.
    """

    def __init__(self, model: nn.Module, channels: int, size_px: int) -> None:
        super().__init__()
        exported = BytesIO()
        export_onnx(model, exported, channels, size_px)
        self._session = open_onnx(exported.getvalue(), torch.get_num_threads())
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Compute what the network gives."""
        return torch.from_numpy(self._session.run(["outputs"], {"images": images.numpy()})[0])


class _Features(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model.features(images)


def frozen_features(
    model: nn.Module, data: TrainingData, rows: NDArray[np.int64], config: TrainingConfig
) -> NDArray[np.float32]:
    """Give what a backbone that does not learn sees in pictures: rows (N,) to (N, D), or maps (N, D, h, w)."""
    if uses_gpu(config.machine):
        return embed_rows(model.to("cuda"), data, rows, config.batch_size, model.features)
    network = OnnxNetwork(_Features(model.to("cpu")), data.channels, data.size_px)
    return embed_rows(model, data, rows, config.batch_size, network)


@torch.inference_mode()
def embed_rows(
    model: nn.Module,
    data: TrainingData,
    rows: NDArray[np.int64],
    batch_size: int,
    network: Callable[[Tensor], Tensor] | None = None,
) -> NDArray[np.float32]:
    """Embed pictures as they are, (N,) rows to (N, D); the model goes back to the mode it was in.

    Args:
        model: on the device to compute on.
        data: where the pictures are.
        rows: which pictures, at least one.
        batch_size: pictures at once.
        network: a part of the model, where not the whole is meant.
    """
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    compute = network or model
    parts = [
        compute(as_float(torch.from_numpy(data.pixels[rows[start : start + batch_size]]).to(device))).float().cpu()
        for start in range(0, len(rows), batch_size)
    ]
    model.train(was_training)
    return torch.cat(parts).numpy()


def save_weights(model: nn.Module, path: Path) -> None:
    """Write all tensors of a model as safetensors."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary)


def load_weights(model: nn.Module, path: Path) -> None:
    """Read them back into a model of the same kind."""
    model.load_state_dict(load_file(path))
