"""The loop that all tasks share, on Lightning: phases, a checkpoint after every epoch, resume to the same result.

Every random number of an epoch (order, augmentation, dropout) comes from the seed, the phase and the epoch's number
alone. So an epoch started again after a kill is the epoch that would have been, and no generator's state is kept.
"""

from __future__ import annotations

import ctypes
import dataclasses
import logging
import math
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from catalog.errors import GleaneryError, UsageError
from catalog.files import replacing
from training.augment import augment
from training.batches import BatchFeed, Examples, epoch_order, seed_of
from training.config import AugmentConfig, PhaseConfig, TrainingConfig
from training.data import TrainingData
from training.inference import as_float, embed_rows, frozen_features, gather, load_weights, save_weights, uses_gpu
from training.models import freeze
from training.solving import solve_phase
from training.tasks.task import Task

FEATURES = "features.npy"
"""Of a phase that is cached: what the frozen backbone gives for every picture."""
LAST, BEST, DONE = "last.ckpt", "best.safetensors", "done.ckpt"
"""Files of a phase: state after the last whole epoch, weights of the best one, and the state it ended with."""


class LossNotFinite(GleaneryError):
    """The loss became NaN or infinite; the batch is saved."""


class OutOfMemory(GleaneryError):
    """The batch does not fit; says which size would."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands, for a progress bar."""

    phase: str
    epoch: int
    """From 1."""
    epochs: int
    batch: int
    """Done in this epoch."""
    batches: int
    loss: float | None = None
    """Validation loss of the last whole epoch."""


OnProgress = Callable[[Progress], None]


class TaskModule(pl.LightningModule):
    """Binds task, model and data of one phase to Lightning's hooks."""

    def __init__(
        self, task: Task, model: nn.Module, data: TrainingData, config: TrainingConfig, phase: str, folder: Path
    ) -> None:
        super().__init__()
        self.model = model
        self._task, self._data, self._config, self._phase, self._folder = task, data, config, phase, folder
        self._augment = config.augment
        if self._settings.is_cached:
            if hasattr(task, "training_examples"):
                raise UsageError(f"phases.{phase}.is_cached: {task.name} chooses its examples by looking at pictures")
            path = folder / "checkpoints" / phase / FEATURES
            self._data = bottleneck_data(model, data, config, path)
            self._augment = AugmentConfig()
        if hasattr(model, "turn"):
            model.turn = self._settings.member
        self._frozen_norms = freeze(model, self._settings.backbone_layers) if hasattr(model, "backbone") else []
        decay = self._settings.average_decay
        self.average = AveragedModel(model, multi_avg_fn=running_mean(decay), use_buffers=True) if decay else None
        self._augmentation = torch.Generator()
        self.step_losses: list[Tensor] = []
        self.validation: list[tuple[Tensor, int, Tensor, Tensor, Tensor]] = []

    @property
    def _settings(self) -> PhaseConfig:
        return self._config.phases[self._phase]

    @property
    def judged(self) -> nn.Module:
        """The model that is validated and kept: the running mean, where there is one."""
        return self.model if self.average is None else self.average.module

    def _network(self, model: nn.Module) -> Callable[[Tensor], Tensor]:
        """What the batches go through: the model, or only its head where features are cached."""
        return model.from_features if self._settings.is_cached else model

    def _seed(self, purpose: str) -> int:
        return seed_of(self._config.seed, self._phase, self.trainer.current_epoch, purpose)

    def train_dataloader(self) -> BatchFeed:
        """Give this epoch's batches; Lightning asks anew for every epoch."""
        examples = self._training_examples()
        order = epoch_order(len(examples.rows), self._augment.copies, self._seed("order"))
        return BatchFeed(self._data.pixels, examples, self._config.batch_size, order)

    def _training_examples(self) -> Examples:
        """Let a task that chooses by what the network sees now (mining) look through it."""
        seed = self._seed("examples")
        choose = getattr(self._task, "training_examples", None)
        if choose is None:
            return self._task.examples(self._data, "train", seed)
        return choose(self._data, seed, lambda rows: embed_rows(self.model, self._data, rows, self._config.batch_size))

    def val_dataloader(self) -> BatchFeed:
        """Give the validation split in its own order."""
        examples = self._task.examples(self._data, "validation", self._config.seed)
        return BatchFeed(self._data.pixels, examples, self._config.batch_size)

    def on_train_epoch_start(self) -> None:
        """Set all randomness of the epoch."""
        torch.manual_seed(self._seed("dropout"))
        self._augmentation.manual_seed(self._seed("augment"))
        self.step_losses, self.validation = [], []
        self.model.train()
        for norm in self._frozen_norms:
            norm.eval()

    def on_train_batch_start(self, batch: Any, batch_index: int) -> None:
        """Set the learning rates, which follow from the step alone."""
        steps = self._settings.epochs * int(self.trainer.num_training_batches)
        factor = rate_factor(self._settings.schedule, self.global_step / max(1, steps))
        for group in self.optimizers().param_groups:
            group["lr"] = self._settings.learning_rate * factor * group["factor"]

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """Augment, compute, and refuse a loss that is no number."""
        images = augment(as_float(batch["image"]).flatten(0, 1), self._augment, self._augmentation)
        views = images.unflatten(0, batch["image"].shape[:2])
        loss = self._task.loss(self._task.forward(self._network(self.model), views), batch["target"])
        if not torch.isfinite(loss):
            self._save_batch(batch, views, batch_index)
        self.step_losses.append(loss.detach())
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_index: int) -> None:
        """Take the step into the running mean."""
        if self.average is not None:
            self.average.update_parameters(self.model)

    def _save_batch(self, batch: dict[str, Tensor], views: Tensor, batch_index: int) -> None:
        path = self._folder / "not_finite_batch.npz"
        sample_ids = self._data.samples["sample_id"].to_numpy()[batch["row"].cpu().numpy()].astype(str)
        with replacing(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, images=views.detach().cpu().numpy(), target=batch["target"].cpu().numpy(),
                     sample_id=sample_ids)  # fmt: skip
        raise LossNotFinite(
            f"the loss is not finite in phase {self._phase}, epoch {self.trainer.current_epoch + 1}, "
            f"batch {batch_index + 1}; the batch is kept in {path}; try a smaller learning rate"
        )

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Keep the outputs; they are measured as a whole."""
        outputs = self._task.forward(self._network(self.judged.eval()), as_float(batch["image"]))
        is_whole = getattr(self._task, "is_measured_whole", False)
        loss = outputs.new_zeros(()) if is_whole else self._task.loss(outputs, batch["target"])
        self.validation.append((loss.detach(), len(outputs), batch["row"], batch["target"], outputs.detach().float()))

    def epoch_row(self) -> dict[str, float]:
        """Sum an epoch up: numbers only, as they go into history and log."""
        train = torch.stack(self.step_losses).double().mean()
        weights = torch.tensor([count for _, count, *_ in self.validation], dtype=torch.float64)
        losses = torch.stack([loss for loss, *_ in self.validation]).double().cpu()
        measures = self._task.measure(gather([each[2:] for each in self.validation]))
        numbers = {f"validation_{name}": float(value) for name, value in measures.items() if isinstance(value, float)}
        is_whole = getattr(self._task, "is_measured_whole", False)
        loss = measures["loss"] if is_whole else float((losses * weights).sum() / weights.sum())
        return {
            "epoch": self.trainer.current_epoch + 1,
            "train_loss": float(train),
            **numbers,
            "validation_loss": loss,
        }

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Build the phase's optimiser over what learns."""
        settings = self._settings
        backbone = getattr(self.model, "backbone", None)
        of_backbone = {id(parameter) for parameter in backbone.parameters()} if backbone is not None else set()
        slow = [each for each in self.model.parameters() if each.requires_grad and id(each) in of_backbone]
        fast = [each for each in self.model.parameters() if each.requires_grad and id(each) not in of_backbone]
        learning = [{"params": fast, "factor": settings.head_factor}, {"params": slow, "factor": 1.0}]
        learning = [group for group in learning if group["params"]]
        rates = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
        if settings.optimiser == "sgd":
            return torch.optim.SGD(learning, momentum=settings.momentum, **rates)
        return (torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW)(learning, **rates)


class EpochKeeper(Checkpoint):
    """After every epoch: history, best weights, early stop, checkpoint. Lightning runs it after all other callbacks.

    What decides (best epoch, patience) is computed from the history, which travels in the checkpoint.
    """

    def __init__(self, folder: Path, phase: str, settings: PhaseConfig, on_progress: OnProgress | None) -> None:
        self._folder, self._phase, self._settings, self._on_progress = folder, phase, settings, on_progress
        self.history: list[dict[str, float]] = []
        self.step_losses: list[float] = []

    def state_dict(self) -> dict[str, Any]:
        """Give what a resumed run must know."""
        return {"history": self.history, "step_losses": self.step_losses}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it up again."""
        self.history, self.step_losses = list(state["history"]), list(state["step_losses"])

    def on_train_start(self, trainer: pl.Trainer, module: TaskModule) -> None:
        """Stay stopped if the run had decided to stop just before it was killed."""
        trainer.should_stop = self._should_stop()

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: TaskModule, outputs: Any, batch: Any, batch_index: int
    ) -> None:
        """Tell how far the epoch is."""
        if self._on_progress is not None:
            loss = self.history[-1]["validation_loss"] if self.history else None
            self._on_progress(
                Progress(self._phase, trainer.current_epoch + 1, self._settings.epochs, batch_index + 1,
                         int(trainer.num_training_batches), loss)
            )  # fmt: skip

    def on_train_epoch_end(self, trainer: pl.Trainer, module: TaskModule) -> None:
        """Keep the epoch."""
        row = module.epoch_row()
        self.history.append(row)
        self.step_losses.extend(torch.stack(module.step_losses).double().tolist())
        for logger in trainer.loggers:
            logger.log_metrics({name: value for name, value in row.items() if name != "epoch"}, step=len(self.history))
        if best_epoch(self.history) == len(self.history):
            # Before the checkpoint: a kill between the two repeats this epoch and writes the same weights again.
            save_weights(module.judged, self._folder / BEST)
        trainer.should_stop = self._should_stop()
        trainer.save_checkpoint(self._folder / LAST)

    def _should_stop(self) -> bool:
        patience = self._settings.patience
        return bool(patience and self.history and len(self.history) - best_epoch(self.history) >= patience)


def rate_factor(schedule: str, done_frac: float) -> float:
    """Give the learning rate as a share of its highest, after so much of a phase; see `PhaseConfig.schedule`."""
    if schedule == "constant":
        return 1.0
    rise = 0.05
    if done_frac < rise:
        return (done_frac + 0.002) / (rise + 0.002)
    return 0.5 * (1 + math.cos(math.pi * (done_frac - rise) / (1 - rise)))


def running_mean(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor | int], None]:
    """Give the function that takes a step into the running mean.

    After n steps the mean forgets by (1 + n) / (10 + n) until that exceeds `decay`, as TensorFlow does with
    `num_updates`: short trainings are not held back by the weights they began with.
    """

    @torch.no_grad()
    def update(means: list[Tensor], currents: list[Tensor], count: Tensor | int) -> None:
        steps = int(count)
        kept = min(decay, (1 + steps) / (10 + steps))
        for mean, current in zip(means, currents, strict=True):
            if mean.is_floating_point():
                mean.lerp_(current.to(mean.dtype), 1 - kept)
            else:
                mean.copy_(current)

    return update


def best_epoch(history: list[dict[str, float]]) -> int:
    """Find the epoch, from 1, of the lowest validation loss; the first of equals."""
    losses = [row["validation_loss"] for row in history]
    return losses.index(min(losses)) + 1


class WholeCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or not there."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write beside and rename."""
        with replacing(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


@dataclass(frozen=True, slots=True)
class PhaseResult:
    """How a phase went."""

    phase: str
    history: tuple[dict[str, float], ...]
    """A row per epoch: epoch, train_loss (none where it was solved), validation_loss, validation_<measure>."""
    step_losses: tuple[float, ...]
    """Training loss of every step."""


def fit(
    task: Task,
    model: nn.Module,
    data: TrainingData,
    config: TrainingConfig,
    folder: Path,
    on_progress: OnProgress | None = None,
) -> list[PhaseResult]:
    """Train all phases, taking up where a killed run stopped; the model ends with the best weights of the last one.

    Args:
        task: says loss and measures.
        model: changed in place.
        data: with samples in train and validation.
        config: the run's settings.
        folder: of the run; gets checkpoints/ and tensorboard/.
        on_progress: called after every batch.

    Raises:
        LossNotFinite: a loss is NaN or infinite.
        OutOfMemory: a batch does not fit.
    """
    if not uses_gpu(config.machine):
        keep_freed_memory()
    results = []
    for name in config.phases:
        phase_folder = folder / "checkpoints" / name
        if not (phase_folder / DONE).exists():
            if config.phases[name].optimiser == "closed_form":
                state = solve_phase(task, model, data, config, phase_folder / BEST)
            else:
                keeper = EpochKeeper(phase_folder, name, config.phases[name], on_progress)
                _fit_phase(TaskModule(task, model, data, config, name, folder), keeper, config, name, folder)
                state = keeper.state_dict()
            with replacing(phase_folder / DONE) as temporary:
                torch.save(state, temporary)
        load_weights(model, phase_folder / BEST)
        state = torch.load(phase_folder / DONE, weights_only=True)
        results.append(PhaseResult(name, tuple(state["history"]), tuple(state["step_losses"])))
    return results


class OwnSigterm(pl.Callback):
    """Leaves SIGTERM to who runs the training.

    Lightning puts a handler of its own over that of Prefect, which then takes a cancellation for a crash.
    """

    def __init__(self) -> None:
        self._handler = signal.getsignal(signal.SIGTERM)

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Put back what stood before; Lightning's own goes with the end of the fit."""
        if threading.current_thread() is threading.main_thread() and self._handler is not None:
            signal.signal(signal.SIGTERM, self._handler)


def _fit_phase(module: TaskModule, keeper: EpochKeeper, config: TrainingConfig, phase: str, folder: Path) -> None:
    last = folder / "checkpoints" / phase / LAST
    on_gpu = uses_gpu(config.machine)
    mixed = "bf16-mixed" if on_gpu and torch.cuda.is_bf16_supported() else "16-mixed"
    precision = config.machine.precision
    module.model.to(memory_format=torch.channels_last)
    # Deterministic mode would fill every fresh tensor with NaN, to find bugs that this code has a check for.
    torch.utils.deterministic.fill_uninitialized_memory = False
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=1,
            precision=(mixed if on_gpu else "32-true") if precision == "auto" else precision,
            max_epochs=config.phases[phase].epochs,
            callbacks=[OwnSigterm(), keeper],
            plugins=[WholeCheckpoints()],
            logger=TensorBoardLogger(str(folder / "tensorboard"), name="", version=phase),
            deterministic="warn",
            reload_dataloaders_every_n_epochs=1,
            num_sanity_val_steps=0,
            log_every_n_steps=10,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        try:
            trainer.fit(module, ckpt_path=str(last) if last.exists() else None)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            size = fitting_batch_size(lambda size: _try_step(module, size), config.batch_size)
            advice = (
                f"--set batch_size={size} would fit" if size else "not even one picture fits; take a smaller model"
            )
            raise OutOfMemory(f"out of memory at batch_size {config.batch_size}: {advice}") from error


def bottleneck_data(model: nn.Module, data: TrainingData, config: TrainingConfig, path: Path) -> TrainingData:
    """Put the frozen backbone's features (N, D) float32 in place of the pixels; computed once, then read again."""
    if not path.exists():
        features = frozen_features(model, data, np.arange(len(data.pixels)), config)
        with replacing(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, features)
    return dataclasses.replace(data, pixels=np.load(path, mmap_mode="r"))


def keep_freed_memory() -> None:
    """Let glibc keep the large blocks that every step frees and asks for again; elsewhere it does nothing.

    Otherwise each step maps, zeroes and unmaps the same pages. Source: measured on the small network, batch 32, one
    thread: 49 instead of 76 ms of CPU time per step.
    """
    trim_threshold, mmap_threshold, largest_bytes = -1, -3, 1 << 30  # names of malloc.h
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(trim_threshold, largest_bytes)
    mallopt(mmap_threshold, largest_bytes)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep Lightning's tips and notices of hardware, workers and folders off the terminal; errors still show."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning_utilities")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning.*")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell torch's many ways to say so, on GPU and CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def fitting_batch_size(try_step: Callable[[int], None], failed_size: int) -> int:
    """Halve a batch size until a step goes through; 0 where none does.

    Args:
        try_step: runs one step with so many examples, or raises out of memory.
        failed_size: what did not fit.
    """
    size = failed_size // 2
    while size:
        try:
            try_step(size)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            if not is_out_of_memory(error):
                raise
            size //= 2
        else:
            return size
    return 0


def _try_step(module: TaskModule, size: int) -> None:
    batch = next(iter(module.val_dataloader()))
    repeats = math.ceil(size / len(batch["target"]))
    tensors = {name: value.repeat(repeats, *[1] * (value.ndim - 1))[:size] for name, value in batch.items()}
    module.zero_grad(set_to_none=True)
    module.training_step({name: value.to(module.device) for name, value in tensors.items()}, 0).backward()
