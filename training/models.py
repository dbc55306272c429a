"""Networks by name: the small one from scratch, any timm or torchvision model as a backbone, and a small head."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from backbones.weights import PACKAGED, WeightsUnreachable, backbone, preprocessing
from catalog.errors import UsageError
from training.config import ModelConfig
from training.looks import Looks

WEIGHT_LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
NORM_LAYERS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


class PlacePool(nn.Module):
    """The weighted sum over all places of a map (B, C, h, w), channel by channel: (B, C). It begins as the mean.

    Source: the global depthwise convolution of S. Chen et al., MobileFaceNets (2018).
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels, height, width), 1 / (height * width)))

    def forward(self, maps: Tensor) -> Tensor:
        """Compute the sums."""
        return (maps * self.weight).sum((2, 3))


class GridFeatures(nn.Module):
    """Three inner maps of a timm network, averaged over the cells of a grid: (B, D).

    Inner maps tell things apart that the last one, made to tell kinds of things apart, calls the same; a grid keeps
    what stands where. The stages of strides 4, 8 and 16, a cell for 16, 16 and 32 px: chosen on validation pairs of
    LFW.

    Args:
        model: the network.
        is_mirrored: whether a picture and its mirror image give the same, their mean: for faces, not for things.
    """

    STAGES = (1, 2, 3)
    CELL_SIDES = (4, 2, 2)
    """Of a cell, in places of the map."""

    def __init__(self, model: nn.Module, is_mirrored: bool) -> None:
        super().__init__()
        self.model, self.looks = model, Looks(is_mirrored)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the features."""
        return self.looks.answer(self._cells, images)

    def _cells(self, images: Tensor) -> Tensor:
        maps = self.model.forward_intermediates(
            images, indices=list(self.STAGES), stop_early=True, intermediates_only=True
        )
        cells = zip(maps, self.CELL_SIDES, strict=True)
        return torch.cat([nn.functional.avg_pool2d(each, side).flatten(1) for each, side in cells], dim=1)


class PictureModel(nn.Module):
    """A backbone and a head: (B, C, S, S) float32 in [0, 1] to (B, outputs) float32.

    Args:
        backbone: pictures to features.
        head: features to outputs.
        mean: per channel, taken off first; pictures are left as they are where None.
        std: per channel, divided by.
        looks: outside training.
        seen_px: side to which pictures are brought first; None leaves them as they are.
    """

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        mean: list[float] | None = None,
        std: list[float] | None = None,
        looks: Looks = Looks(),  # noqa: B008 -- it is frozen
        seen_px: int | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.head, self.looks, self.seen_px = backbone, head, looks, seen_px
        self.register_buffer("mean", _per_channel(mean), persistent=False)
        self.register_buffer("std", _per_channel(std), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the outputs."""
        return self.once(images) if self.training else self.looks.answer(self.once, images)

    def once(self, images: Tensor) -> Tensor:
        """Compute the outputs from one look."""
        return self.from_features(self.features(images))

    def from_features(self, features: Tensor) -> Tensor:
        """Compute the outputs from what `features` gave."""
        return self.head(features)

    def features(self, images: Tensor) -> Tensor:
        """Compute what the backbone sees, before the head: (B, D), or maps (B, D, h, w) where the head pools them."""
        return self.backbone(self.normed(images))

    def normed(self, images: Tensor) -> Tensor:
        """Bring pictures to the size and the range that the backbone expects."""
        if self.seen_px is not None:
            images = nn.functional.interpolate(images, (self.seen_px, self.seen_px), mode="bilinear")
        if self.mean is None:
            return images
        return (images - self.mean) / self.std  # grey pictures become three equal channels by it


class BesideModel(nn.Module):
    """Networks that learn by steps, and beside them a frozen one with a linear read-out that is solved.

    They err differently: each learner has bent to the task from another start, the reader still sees all that
    ImageNet taught. Once the read-out is solved, the answer outside training is the weighted mean of theirs; until
    then, and in training, it is that of the learner whose turn it is, who does not zoom: epochs are only compared.

    Args:
        learners: learn by steps, one at a time; freezing concerns the backbone of the one whose turn it is.
        reader: its head is solved in closed form.
        reader_frac: weight of the reader's answer, 0 to 1; the learners share the rest.
        looks: outside training, of all of them.
    """

    def __init__(
        self,
        learners: list[PictureModel],
        reader: PictureModel,
        reader_frac: float,
        looks: Looks = Looks(),  # noqa: B008
    ) -> None:
        super().__init__()
        self.learners, self.reader, self.reader_frac = nn.ModuleList(learners), reader, reader_frac
        self.looks = looks
        self.turn = 0
        # A tensor, so that weights that are read from a file say whether the read-out in them is solved.
        self.register_buffer("weight", torch.zeros(()))

    @property
    def backbone(self) -> nn.Module:
        """The backbone that learns."""
        return self.learners[self.turn].backbone

    @property
    def head(self) -> nn.Sequential:
        """The head that is solved."""
        return self.reader.head

    def requires_grad_(self, requires_grad: bool = True) -> BesideModel:
        """Let one learner learn; the reader never does."""
        super().requires_grad_(False)
        self.learners[self.turn].requires_grad_(requires_grad)
        return self

    def features(self, images: Tensor) -> Tensor:
        """Compute what the read-out is solved from, the mean over picture and mirror image: (B, D)."""
        return Looks(mirror=True).answer(self.reader.features, images)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the outputs."""
        learner = self.learners[self.turn]
        if self.training:
            return learner(images)
        if not self.weight:
            return Looks(self.looks.mirror).answer(learner, images)
        return self.looks.answer(self.together, images)

    def together(self, images: Tensor) -> Tensor:
        """Compute the weighted mean of all answers, from one look."""
        learned = torch.stack([learner(images) for learner in self.learners]).mean(0)
        return torch.lerp(learned, self.reader(images), self.weight)

    def solved(self) -> None:
        """Let all answer; until the reader's head is solved it would only pull to the middle."""
        self.weight.fill_(self.reader_frac)


def _per_channel(values: list[float] | None) -> Tensor | None:
    return None if values is None else torch.tensor(values).view(1, -1, 1, 1)


def create_model(
    settings: ModelConfig, channels: int, size_px: int, outputs: int, seen_px: int | None = None
) -> PictureModel:
    """Build a network; its random weights follow torch's global generator.

    Args:
        settings: name, head and whether it starts from ImageNet weights.
        channels: 1 for grey, 3 for RGB; what takes colour is shown grey on all three channels.
        size_px: side of the square input.
        outputs: width of the last layer.
        seen_px: side to which the network brings its input first; None for none.

    Raises:
        UsageError: no such model, weights that cannot be had, or an input that does not fit it.
    """
    features, statistics = create_backbone(settings, channels)
    pool, width = pooled(features, 3 if statistics else channels, seen_px or size_px)
    head = nn.Sequential(*pool, *_head(width, settings, outputs))
    return PictureModel(features, head, **statistics, looks=looks_of(settings), seen_px=seen_px)


def looks_of(settings: ModelConfig) -> Looks:
    """Say how a model looks at pictures outside training."""
    return Looks(settings.mirror, tuple(settings.zooms))


def create_beside_model(settings: ModelConfig, channels: int, size_px: int, outputs: int) -> BesideModel:
    """Build the `members` of `settings` with a frozen network beside them, which answers once its read-out is solved.

    Raises:
        UsageError: see `create_model`; a `beside_frac` outside 0 to 1.
    """
    if not 0 < settings.beside_frac < 1:
        raise UsageError(f"model.beside_frac {settings.beside_frac}, expected 0 (none) or a share below 1")
    once = dataclasses.replace(settings, mirror=False, zooms=[1.0])
    learners = [create_model(once, channels, size_px, outputs, side) for side in settings.sides]
    reading = dataclasses.replace(once, pooling="grids", dense=0, dropout_frac=0.0)
    reader = create_model(reading, channels, size_px, outputs)
    return BesideModel(learners, reader, settings.beside_frac, looks_of(settings))


def create_backbone(settings: ModelConfig, channels: int) -> tuple[nn.Module, dict[str, list[float]]]:
    """Build what makes features of pictures, and say by which `mean` and `std` per channel they are normalised.

    Raises:
        UsageError: no such model, or weights that cannot be had.
    """
    kind, _, name = settings.name.partition(":")
    if settings.pooling != "mean" and kind != "timm":
        raise UsageError(f"model.pooling={settings.pooling} needs a timm model, found {settings.name}")
    if settings.name == "small_cnn":
        if settings.is_pretrained:
            raise UsageError("small_cnn has no pretrained weights; set model.is_pretrained=false")
        return _small_convolutions(channels), {}
    if kind == "timm":
        return _timm_backbone(name, settings)
    if kind == "torchvision":
        return _torchvision_backbone(name, settings.is_pretrained)
    raise UsageError(f"model {settings.name!r}: expected small_cnn, timm:<name> or torchvision:<name>")


def _small_convolutions(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before in (channels, 32, 32):
        # Pooling before the ReLU gives the same numbers, as both are monotonic, at a quarter of its cost.
        layers += [nn.Conv2d(before, 32, 3), nn.MaxPool2d(2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten())


def _head(width: int, settings: ModelConfig, outputs: int) -> list[nn.Module]:
    hidden = [nn.Linear(width, settings.dense), nn.ReLU()] if settings.dense else []
    last = settings.dense or width
    return [*hidden, nn.Dropout(settings.dropout_frac), nn.Linear(last, outputs)]


def _timm_backbone(name: str, settings: ModelConfig) -> tuple[nn.Module, dict[str, list[float]]]:
    facts = preprocessing(name)
    features = backbone(name, is_pretrained=settings.is_pretrained)
    if settings.pooling == "places":
        features.reset_classifier(0, global_pool="")
    if settings.pooling in ("grids", "mirrored_grids"):
        features = GridFeatures(features, settings.pooling == "mirrored_grids")
    return features, {"mean": facts["mean"], "std": facts["std"]}


def _torchvision_backbone(name: str, is_pretrained: bool) -> tuple[nn.Module, dict[str, list[float]]]:
    import torchvision

    if name not in torchvision.models.list_models(module=torchvision.models):
        raise UsageError(f"torchvision has no model {name!r}")
    try:
        model = torchvision.models.get_model(name, weights="DEFAULT" if is_pretrained else None)
    except OSError as error:  # urllib's errors are of this kind
        raise WeightsUnreachable(f"weights of torchvision's {name} cannot be had ({error}); "
                         "set model.is_pretrained=false or take timm:tf_efficientnet_lite0") from error  # fmt: skip
    if hasattr(model, "features"):
        features: nn.Module = nn.Sequential(model.features, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    elif hasattr(model, "fc"):
        model.fc = nn.Identity()
        features = model
    else:
        raise UsageError(f"torchvision's {name} has neither features nor fc; take it from timm")
    # Source: the normalisation of all torchvision ImageNet weights.
    return features, {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def pooled(features: nn.Module, channels: int, size_px: int) -> tuple[list[nn.Module], int]:
    """Give what a head begins with (nothing, or the pooling of maps), and how many numbers it then has of a picture.

    Raises:
        UsageError: the pictures are too small for the backbone.
    """
    was_training = features.training
    try:
        with torch.inference_mode():
            shape = features.eval()(torch.zeros(1, channels, size_px, size_px)).shape[1:]
    except RuntimeError as error:
        raise UsageError(f"pictures of {size_px} px are too small for the model: {error}") from error
    finally:
        features.train(was_training)
    return ([] if len(shape) == 1 else [PlacePool(*shape)]), int(shape[0])


def parameter_count(model: nn.Module) -> int:
    """Count all parameters, frozen ones too."""
    return sum(parameter.numel() for parameter in model.parameters())


def freeze(model: nn.Module, backbone_layers: int) -> list[nn.Module]:
    """Let only the head and the last weight layers of the backbone learn.

    Args:
        model: with a `backbone`; changed in place.
        backbone_layers: how many convolutions or dense layers learn, with the normalisations after the first of
            them; -1 means all.

    Returns:
        The frozen normalisation layers; they must stay in evaluation mode.
    """
    layers = [module for module in model.backbone.modules() if isinstance(module, (*WEIGHT_LAYERS, *NORM_LAYERS))]
    model.requires_grad_(True)
    if backbone_layers < 0:
        return []
    model.backbone.requires_grad_(False)
    weights = [index for index, module in enumerate(layers) if isinstance(module, WEIGHT_LAYERS)]
    starts = [len(layers), *reversed(weights)]
    first = starts[min(backbone_layers, len(weights))]
    for module in layers[first:]:
        module.requires_grad_(True)
    return [module for module in layers[:first] if isinstance(module, NORM_LAYERS)]


def with_reachable_weights(settings: ModelConfig) -> ModelConfig:
    """Give the settings as they are where the pretrained weights can be had, else those of the packaged backbone.

    Raises:
        UsageError: there is no such model.
    """
    stand_in = f"timm:{PACKAGED}"
    if not settings.is_pretrained or settings.name == stand_in:
        return settings
    try:
        create_backbone(settings, 3)
    except WeightsUnreachable:
        return dataclasses.replace(settings, name=stand_in, instead_of=settings.name)
    return settings


def weights_source(settings: ModelConfig) -> str:
    """Say in words where the first weights come from."""
    if not settings.is_pretrained:
        return "random (from scratch)"
    package = " (packaged)" if settings.name == f"timm:{PACKAGED}" else ""
    asked = f", as those of {settings.instead_of} cannot be had here" if settings.instead_of else ""
    return f"ImageNet weights of {settings.name}{package}{asked}"
