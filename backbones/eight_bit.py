"""Backbones in eight-bit numbers, for processors that add up products of such in one step: twice as fast as in float.

ONNX Runtime quantises (weights per channel, what flows between them per tensor). Three things are added, as without
them the cosine to the vectors of full precision is 0.991 for the packaged backbone, and with them 0.999: the first
convolutions stay in float, ranges are those of least squared error instead of the widest (Choukroun et al. 2019,
arXiv:1902.06822), and what rounded weights add to a channel on average is taken from its bias (Nagel et al. 2019,
arXiv:1906.04721, section 4.2).
"""

from __future__ import annotations

import logging
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbones.pixels import prepare_pixels
from backbones.sessions import open_onnx
from catalog import files
from catalog.errors import UsageError
from catalog.ids import digest

Floats = NDArray[np.float32]

QUANTISE_VERSION = 1
"""Raise when the file made would differ."""
_FLOAT_FRAC = 1 / 4
"""Of the convolutions, the first: the first six of the packaged backbone's 49 make seven tenths of all error. Mean
cosine for 120 real photos with none, an eighth, a fifth and a quarter: 0.9967, 0.9990, 0.9991, 0.9992, at 2.0, 1.85,
1.5 and 1.5 times the speed of float."""
_LEAST_COSINE = 0.998
"""Mean over pictures that were not calibrated on; backbones that do not reach it are refused."""
_CALIBRATION_COUNT, _HELD_OUT_COUNT, _BATCH = 192, 32, 16
_KEPT_VALUES = 20_000
"""Of a tensor and a batch, to find its range."""
_RANGE_FRACS = np.linspace(0.7, 1, 13)
_LEVELS = 255
_BOUNDING_OPS = ["Clip", "Relu"]
"""They only bound what they are given, and go with what stands before them."""
_QUANTISED_OPS = ["Conv", "Add", *_BOUNDING_OPS]


def has_eight_bit_products(cpuinfo: str | None = None) -> bool:
    """Tell whether the processor sums eight-bit products without saturating (VNNI, or the dot products of ARM).

    Args:
        cpuinfo: text as in /proc/cpuinfo; None reads that of this machine.
    """
    if cpuinfo is None:
        place = Path("/proc/cpuinfo")
        cpuinfo = place.read_text(encoding="utf-8") if place.exists() else ""
    words = set(cpuinfo.split())
    return bool(words & {"avx512_vnni", "avx_vnni", "asimddp"})


def check_processor(cpuinfo: str | None = None) -> None:
    """Refuse processors on which eight bits are neither fast nor exact.

    Raises:
        UsageError: this is one.
    """
    if not has_eight_bit_products(cpuinfo):
        raise UsageError(
            f"precision int8 expects a processor with VNNI (avx512_vnni or avx_vnni) or ARM's asimddp, found"
            f" {platform.machine()} without: its eight-bit products saturate; leave the setting `precision` out"
        )


def quantised(path: Path, settings: Mapping[str, Any]) -> Path:
    """Give the path of a backbone's eight-bit file, making it first where it is missing (half a minute).

    Args:
        path: the ONNX file in full precision, with one input `pixels` (B, 3, S, S).
        settings: as `backbones.weights.preprocessing` gives them.

    Raises:
        UsageError: this backbone loses too much.
    """
    made = path.with_name(f"{path.stem}-int8-{digest([QUANTISE_VERSION], 8)}.onnx")
    if not made.exists():
        pixels = sample_pixels(_CALIBRATION_COUNT + _HELD_OUT_COUNT, settings)
        with files.replacing(made) as temporary:
            _quantise(path, temporary, pixels[:_CALIBRATION_COUNT])
            found = _mean_cosine(path, temporary, pixels[_CALIBRATION_COUNT:])
            if not found >= _LEAST_COSINE:
                raise UsageError(
                    f"backbone {path.stem}: in eight bits its vectors have a cosine of {found:.4f} to those of full"
                    f" precision, expected at least {_LEAST_COSINE}; leave the setting `precision` out"
                )
    return made


def sample_pixels(count: int, settings: Mapping[str, Any]) -> Floats:
    """Cut pictures to calibrate on out of the two photos that scikit-learn brings, in many scales and lights.

    Returns:
        (count, 3, S, S) float32, the same every time.
    """
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    random = np.random.default_rng(0)
    cut = []
    for number in range(count):
        photo = photos[number % len(photos)]
        height, width, _ = photo.shape
        side = int(random.uniform(0.25, 1) * min(height, width))
        top, left = random.integers(height - side + 1), random.integers(width - side + 1)
        part = photo[top : top + side, left : left + side].astype(np.float32)
        lit = (part - 128) * random.uniform(0.6, 1.6) + 128 + random.uniform(-50, 50)
        tinted = lit * random.uniform(0.75, 1.25, 3)
        grey = np.broadcast_to(tinted.mean(axis=2, keepdims=True), tinted.shape)
        shown = np.clip(grey if random.random() < 0.2 else tinted, 0, 255).astype(np.uint8)
        cut.append(prepare_pixels(np.ascontiguousarray(shown), settings))
    return np.stack(cut)


@dataclass(slots=True)
class _Seen:
    """What flowed through one tensor."""

    low: float = 0.0
    high: float = 0.0
    values: list[Floats] = field(default_factory=list)
    sums: Any = 0.0
    """Per channel; of `count` values each."""
    count: int = 0

    def add(self, given: Floats, random: np.random.Generator) -> None:
        self.low, self.high = min(self.low, float(given.min())), max(self.high, float(given.max()))
        self.values.append(random.choice(given.ravel(), _KEPT_VALUES))
        self.sums = self.sums + given.sum(axis=(0, 2, 3), dtype=np.float64)
        self.count += given.size // given.shape[1]

    def means(self) -> NDArray[np.float64]:
        """Mean of each channel."""
        return np.asarray(self.sums / self.count)

    def best_range(self) -> tuple[float, float]:
        """Find the range that 256 steps cover with the least squared error."""
        values = np.concatenate(self.values)
        lows = self.low * _RANGE_FRACS if self.low < 0 else np.zeros(1)
        ranges = [(float(low), float(high)) for low in lows for high in self.high * _RANGE_FRACS]
        return min(ranges, key=lambda one: _rounding_error(values, *one))


def _rounding_error(values: Floats, low: float, high: float) -> float:
    step = max(high - low, 1e-12) / _LEVELS
    zero = np.round(-low / step)
    rounded = (np.clip(np.round(values / step) + zero, 0, _LEVELS) - zero) * step
    return float(np.square(rounded - values).mean())


class _Batches:
    """A reader of calibration data, as ONNX Runtime asks for."""

    def __init__(self, pixels: Floats) -> None:
        self._batches: Iterator[Floats] = iter(_batches(pixels))

    def get_next(self) -> dict[str, Floats] | None:
        """Give the next batch; None behind the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"pixels": batch}


def _batches(pixels: Floats) -> list[Floats]:
    return [pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH)]


def _quantise(path: Path, made: Path, pixels: Floats) -> None:
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as scratch, _quiet():
        fused = Path(scratch) / "fused.onnx"
        quant_pre_process(str(path), str(fused))
        model = onnx.load(fused)
        convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
        in_float = {node.name for node in convolutions[: round(len(convolutions) * _FLOAT_FRAC)]}
        outputs = {node.output[0] for node in convolutions if node.name in in_float}
        bounding = [node for node in model.graph.node if node.op_type in _BOUNDING_OPS]
        in_float |= {node.name for node in bounding if outputs & set(node.input)}
        seen = _flow(model, pixels)
        _correct_biases(model, in_float, {name: one.means() for name, one in seen.items()})
        onnx.save(model, fused)
        ranges = {name: one.best_range() for name, one in seen.items() if name != "pixels"}
        quantize_static(
            str(fused), str(made), _Batches(pixels),
            quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            op_types_to_quantize=_QUANTISED_OPS, nodes_to_exclude=sorted(in_float),
            extra_options={
                "TensorQuantOverrides": {
                    name: [{"rmin": np.float32(low), "rmax": np.float32(high)}] for name, (low, high) in ranges.items()
                }
            },
        )  # fmt: skip


def _flow(model: Any, pixels: Floats) -> dict[str, _Seen]:
    """Run a model and look at what goes into, and comes out of, the nodes to be quantised."""
    import onnx

    nodes = [node for node in model.graph.node if node.op_type in _QUANTISED_OPS]
    constants = {one.name for one in model.graph.initializer} | {""}
    bounded = {name for node in nodes if node.op_type in _BOUNDING_OPS for name in node.input}
    names = {name for node in nodes for name in (node.input[0], *node.output)} - constants - bounded - {"pixels"}
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    del watched.graph.output[:]
    watched.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in sorted(names)
    )
    session = open_onnx(watched.SerializeToString())
    random = np.random.default_rng(0)
    seen = {name: _Seen() for name in ("pixels", *sorted(names))}
    for batch in _batches(pixels):
        for name, given in zip(seen, (batch, *session.run(None, {"pixels": batch})), strict=True):
            if given.ndim == 4:
                seen[name].add(given, random)
    return {name: one for name, one in seen.items() if one.count}


def _correct_biases(model: Any, in_float: set[str], means: Mapping[str, NDArray[np.float64]]) -> None:
    """Take from each bias what rounding the weights adds on average, for the mean input of each channel."""
    from onnx import numpy_helper

    constants = {one.name: one for one in model.graph.initializer}
    for node in model.graph.node:
        is_rounded = node.op_type == "Conv" and node.name not in in_float and len(node.input) == 3
        if not is_rounded or node.input[0] not in means:
            continue
        weights, bias = (numpy_helper.to_array(constants[name]) for name in node.input[1:])
        mean = means[node.input[0]]
        steps = np.maximum(np.abs(weights).max(axis=(1, 2, 3), keepdims=True), 1e-12) / 127
        lost = (weights - np.round(weights / steps) * steps).sum(axis=(2, 3))
        if weights.shape[1] == len(mean):
            change = lost @ mean
        elif weights.shape[1] == 1 and len(weights) == len(mean):  # depthwise
            change = lost[:, 0] * mean
        else:
            continue
        corrected = np.asarray(bias + change, np.float32)
        constants[node.input[2]].CopyFrom(numpy_helper.from_array(corrected, node.input[2]))


def _mean_cosine(path: Path, made: Path, pixels: Floats) -> float:
    """Compare two models' vectors of the same pictures."""
    left, right = (
        np.concatenate([session.run(None, {"pixels": batch})[0] for batch in _batches(pixels)])
        for session in (open_onnx(path), open_onnx(made))
    )
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return float(((left * right).sum(axis=1) / np.maximum(norms, 1e-12)).mean())


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantiser from telling the root logger what is done here already."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
