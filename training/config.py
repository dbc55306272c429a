"""What a training run does: defaults, then an experiment's TOML, then the recipe's [training], then `--set a.b=c`.

An experiment names only what differs from the defaults below. Phases run one after the other, each from the best
weights of the one before.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import UsageError
from catalog.ids import digest

NOT_SETTINGS = ("task", "experiment", "crop")
"""Keys of a recipe's `[training]` that are no settings of a run: which one it is, and how photos are cut for it."""
EXPERIMENTS = Path(__file__).parent / "experiments"
MODES = ("grey", "rgb")
FITS = ("crop", "stretch", "pad")
OPTIMISERS = ("adam", "adamw", "sgd", "closed_form")
SCHEDULES = ("constant", "cosine")
POOLINGS = ("mean", "places", "grids", "mirrored_grids")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """What the model sees of a picture."""

    size_px: int = 64
    """Side of the square input."""
    mode: str = "grey"
    """`grey` or `rgb`."""
    fold: int = -1
    """Test this fold of the release and train on the others; -1 takes the release's own parts."""
    validation_frac: float = 0.1
    """Share of the groups to train on that are held out where the release has no validation part."""
    box: list[int] | None = None
    """x0, y0, x1, y1 px: cut out of every picture first, for sets whose pictures all stand alike (LFW)."""
    centre_frac: float = 1.0
    """Share of width and height, around the centre, that is looked at: a rim of wall only costs time."""
    fit: str = "crop"
    """How a picture that is no square becomes one: `crop` takes the square in its middle, `stretch` and `pad` (with
    grey) keep all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """Random changes of training pictures; zero means none."""

    copies: int = 1
    """How often each picture is shown in an epoch, each time changed anew."""
    rotation_deg: float = 0.0
    """Largest turn to either side."""
    zoom_frac: float = 0.0
    """Largest growth or shrinking."""
    shear_deg: float = 0.0
    """Largest shear to either side."""
    shift_frac: float = 0.0
    """Largest move along each axis, of the side."""
    flip: bool = False
    """Whether half of the pictures are mirrored."""
    light_frac: float = 0.0
    """Largest change of brightness and of contrast, as a share of each."""
    colour_frac: float = 0.0
    """Largest gain or loss of each channel on its own: the colour of the light."""
    erase_frac: float = 0.0
    """Side of the square that is greyed out at a random place of half of the pictures, of the picture's side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The network: a backbone and a small head."""

    name: str = "small_cnn"
    """`small_cnn`, `timm:<name>` or `torchvision:<name>`."""
    is_pretrained: bool = False
    """Whether the backbone starts from ImageNet weights (a hub's, or the packaged ones)."""
    instead_of: str = ""
    """Model that was asked for, where its weights could not be had and the packaged one stands in; set by a run."""
    dense: int = 64
    """Width of the head's hidden layer; 0 for none."""
    dropout_frac: float = 0.5
    pooling: str = "mean"
    """How a timm backbone's last map becomes features: `mean` over all places, or `places`: each place of each channel
    has a learned weight, for pictures in which all things stand at their places (faces); or `grids`: three inner maps
    too, each as a grid (see `training.models.GridFeatures`), or `mirrored_grids`, their mean over picture and mirror
    image."""
    members: list[int] | None = None
    """Networks that learn one after the other and answer by their mean: the side, px, at which each sees the pictures
    (of different sides they err differently); None is one that sees them as they are. Needs beside_frac."""
    beside_frac: float = 0.0
    """Weight of a frozen copy's answer, read out of its `grids` by a phase `closed_form`; regression only
    (see `training.models.BesideModel`). 0 for none."""
    mirror: bool = False
    """Outside training a picture and its mirror image answer together, by their mean; classification, regression."""
    zooms: list[float] = field(default_factory=lambda: [1.0])
    """Outside training a picture answers by the mean over itself enlarged by each of these about its centre;
    classification and regression."""

    @property
    def sides(self) -> Sequence[int | None]:
        """Give the side, px, at which each network that learns sees the pictures; None: as they are."""
        return self.members or [None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseConfig:
    """One stretch of training."""

    epochs: int = 30
    patience: int = 0
    """Epochs without a better validation loss before it stops; 0 never stops early."""
    optimiser: str = "adam"
    """`adam`, `adamw`, `sgd`; or `closed_form`: the head is solved from the backbone's features, without steps."""
    learning_rate: float = 0.001
    momentum: float = 0.9
    """Of sgd."""
    weight_decay: float = 0.0
    schedule: str = "constant"
    """`constant`, or `cosine`: up during the first twentieth of the steps, then down to nothing."""
    average_decay: float = 0.0
    """What is judged and kept is a running mean of the weights that forgets a step by this factor, the first
    steps faster; 0 for none."""
    head_factor: float = 1.0
    """The head learns this many times faster than the backbone."""
    member: int = 0
    """Which of the model's members learns, from 0; `model.members` repeats a phase for each (`tune`, `tune_2`)."""
    backbone_layers: int = -1
    """How many of the backbone's last weight layers learn; 0 only the head, -1 all."""
    is_cached: bool = False
    """Whether the pictures pass the frozen backbone once, unchanged, and the head learns from what it gave (bottleneck
    features); needs backbone_layers = 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineConfig:
    """How it is computed; not part of the run's id."""

    threads: int = 0
    """CPU threads; 0 leaves torch's choice."""
    accelerator: str = "auto"
    """`auto`, `cpu` or `gpu`."""
    precision: str = "auto"
    """A Lightning precision; `auto` is mixed on a GPU and full on a CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """All settings of a run."""

    experiment: str = ""
    seed: int = 1
    batch_size: int = 32
    is_inner_trait: bool | None = None
    """Whether the label is a person's inner trait; None asks the release: any label of persons but their identity."""
    data: DataConfig = DataConfig()
    augment: AugmentConfig = AugmentConfig()
    model: ModelConfig = ModelConfig()
    phases: Mapping[str, PhaseConfig] = field(default_factory=lambda: {"train": PhaseConfig()})
    task: Mapping[str, Any] = field(default_factory=dict)
    """Further settings, checked by the task."""
    machine: MachineConfig = MachineConfig()

    def to_json(self) -> dict[str, Any]:
        """Give all settings as JSON values; `from_json` is the inverse."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Read settings.

        Raises:
            UsageError: an unknown name, a value of the wrong type or out of range.
        """
        config: TrainingConfig = _build(cls, values, "")
        _check(config)
        return config

    @property
    def digest(self) -> str:
        """Name all settings that the result depends on: 64 hex digits."""
        return digest({name: value for name, value in self.to_json().items() if name != "machine"})


def load_training_config(
    experiment: str, overrides: Sequence[str] = (), recipe_training: Mapping[str, Any] | None = None
) -> TrainingConfig:
    """Put a run's settings together.

    Args:
        experiment: name of a packaged experiment or path of a TOML file.
        overrides: `a.b=c` with c as TOML, or plain text.
        recipe_training: the recipe's `[training]`; its keys NOT_SETTINGS are none.

    Raises:
        UsageError: no such experiment, or a bad setting.
    """
    values = _read_experiment(experiment)
    # The stem only: a run must not be named by where its experiment lies.
    values["experiment"] = Path(experiment).stem
    extra = {name: value for name, value in (recipe_training or {}).items() if name not in NOT_SETTINGS}
    _merge(values, extra)
    for override in overrides:
        _merge(values, _parse_override(override))
    return _with_members(TrainingConfig.from_json(values))


def _with_members(config: TrainingConfig) -> TrainingConfig:
    """Repeat each phase that learns by steps for every member of the model."""
    phases: dict[str, PhaseConfig] = {}
    for name, phase in config.phases.items():
        repeats = 1 if phase.optimiser == "closed_form" else len(config.model.sides)
        for member in range(repeats):
            phases[f"{name}_{member + 1}" if member else name] = dataclasses.replace(phase, member=member)
    return dataclasses.replace(config, phases=phases)


def _read_experiment(experiment: str) -> dict[str, Any]:
    path = Path(experiment) if experiment.endswith(".toml") else EXPERIMENTS / f"{experiment}.toml"
    if not path.is_file():
        names = ", ".join(sorted(each.stem for each in EXPERIMENTS.glob("*.toml")))
        raise UsageError(f"no experiment {experiment!r}, expected a .toml file or one of: {names}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from error


def _parse_override(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not all(part.isidentifier() for part in name.split(".")):
        raise UsageError(f"--set {text}: expected a.b=c")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    for part in reversed(name.split(".")):
        parsed = {part: parsed}
    return typing.cast("dict[str, Any]", parsed)


def _merge(values: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, Mapping) and isinstance(values.get(name), dict):
            _merge(values[name], value)
        else:
            values[name] = dict(value) if isinstance(value, Mapping) else value


def _build(cls: type[Any], values: Mapping[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(cls)
    unknown = sorted(values.keys() - hints.keys())
    if unknown:
        known = ", ".join(sorted(hints))
        raise UsageError(f"unknown training setting {where}{unknown[0]}, expected one of: {known}")
    return cls(**{name: _coerce(hints[name], value, where + name) for name, value in values.items()})


def _coerce(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), _as_table(value, where), f"{where}.")
    if typing.get_origin(hint) is Mapping:
        part = typing.get_args(hint)[1]
        table = _as_table(value, where)
        return (
            dict(table) if part is Any else {key: _coerce(part, each, f"{where}.{key}") for key, each in table.items()}
        )
    accepted = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in accepted and type(value) is int:
        return float(value)
    if type(value) not in [typing.get_origin(each) or each for each in accepted]:
        names = " or ".join(getattr(each, "__name__", str(each)) for each in accepted if each is not type(None))
        raise UsageError(f"training setting {where} must be {names}, found {value!r}")
    return value


def _as_table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"training setting {where} must be a table, found {value!r}")
    return value


def read_task_settings(cls: type[Any], config: TrainingConfig) -> Any:
    """Read `task.*` into a task's own dataclass of settings.

    Raises:
        UsageError: an unknown name or a value of the wrong type.
    """
    return _build(cls, config.task, "task.")


def _is_box(box: list[int] | None) -> bool:
    if box is None:
        return True
    if len(box) != 4 or not all(type(each) is int and each >= 0 for each in box):
        return False
    return box[0] < box[2] and box[1] < box[3]


def _are_zooms(zooms: list[float]) -> bool:
    return len(zooms) > 0 and all(type(each) in (int, float) and 0.5 <= each <= 2 for each in zooms)


def _are_sides(sides: list[int] | None) -> bool:
    return sides is None or (len(sides) > 0 and all(type(each) is int and each > 0 for each in sides))


def _check(config: TrainingConfig) -> None:
    rules = [
        (config.data.mode in MODES, f"data.mode must be one of {', '.join(MODES)}"),
        (config.data.fit in FITS, f"data.fit must be one of {', '.join(FITS)}"),
        (config.data.size_px > 0, "data.size_px must be positive"),
        (0 < config.data.validation_frac < 1, "data.validation_frac must be in (0, 1)"),
        (config.batch_size > 0, "batch_size must be positive"),
        (config.augment.copies > 0, "augment.copies must be positive"),
        (0 <= config.augment.zoom_frac < 1, "augment.zoom_frac must be in [0, 1)"),
        (0 <= config.augment.erase_frac < 1, "augment.erase_frac must be in [0, 1)"),
        (0 < config.data.centre_frac <= 1, "data.centre_frac must be in (0, 1]"),
        (_is_box(config.data.box), "data.box must be four numbers x0 < x1, y0 < y1 in px: x0, y0, x1, y1"),
        (config.model.pooling in POOLINGS, f"model.pooling must be one of {', '.join(POOLINGS)}"),
        (0 <= config.model.dropout_frac < 1, "model.dropout_frac must be in [0, 1)"),
        (_are_sides(config.model.members), "model.members must be sides in px"),
        (config.model.members is None or config.model.beside_frac > 0, "model.members needs model.beside_frac"),
        (_are_zooms(config.model.zooms), "model.zooms must be numbers from 0.5 to 2, at least one"),
        (bool(config.phases), "phases must name at least one"),
    ]
    for name, phase in config.phases.items():
        rules.append(
            (phase.optimiser in OPTIMISERS, f"phases.{name}.optimiser must be one of {', '.join(OPTIMISERS)}")
        )
        rules.append((phase.schedule in SCHEDULES, f"phases.{name}.schedule must be one of {', '.join(SCHEDULES)}"))
        rules.append((0 <= phase.average_decay < 1, f"phases.{name}.average_decay must be in [0, 1)"))
        is_member = 0 <= phase.member < len(config.model.sides)
        rules.append((is_member, f"phases.{name}.member must be one of model.members, counted from 0"))
        rules.append((phase.epochs > 0, f"phases.{name}.epochs must be positive"))
        fits = not phase.is_cached or phase.backbone_layers == 0
        rules.append((fits, f"phases.{name}.is_cached needs phases.{name}.backbone_layers = 0"))
    for holds, rule in rules:
        if not holds:
            raise UsageError(f"training settings: {rule}")
