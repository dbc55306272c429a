"""Finished models in use: measured on other data, and asked about photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.config import Config
from catalog.errors import UsageError
from catalog.release_format import Release, find_release
from flows.photos import photo_for_model, read_photo

if TYPE_CHECKING:
    from training.find import Found

_ANSWERING = ("classification", "regression", "verification")


def model_named(config: Config, run: str | None, tasks: Sequence[str]) -> Path:
    """Find a finished model by its run, or the newest of these tasks.

    Raises:
        UsageError: there is none.
    """
    from training.evaluate import find_model, latest_model

    return find_model(config.data_root, run) if run else latest_model(config.data_root, tasks)


def evaluate_on(config: Config, run: str, release_name: str) -> dict[str, Any]:
    """Measure a finished model on a release.

    Raises:
        ReleaseEnding: a takedown ends the release.
    """
    from catalog.readers import reading
    from training.evaluate import evaluate

    release = find_release(config.data_root.releases, release_name)
    with reading(config.data_root, release.recipe, release.version):
        return evaluate(run, release, config.data_root)


def evaluate_pairs(config: Config, run: str, pairs: Path | None) -> dict[str, Any]:
    """Measure a finished verification model on a list of pairs in folds; the figures go to its run, too."""
    from training.evaluate import find_model, write_evaluation
    from training.protocol import evaluate_pair_list

    assert pairs is not None
    folder = find_model(config.data_root, run)
    content = {"run_id": run, **evaluate_pair_list(folder, pairs, release_of(config, folder))}
    write_evaluation(config.data_root, folder, pairs.stem, content)
    return content


def release_of(config: Config, model_folder: Path) -> Release | None:
    """Open the release that a model learned from; None where it is gone."""
    from training.finished import read_model_config

    facts = read_model_config(model_folder)["release"]
    try:
        return find_release(config.data_root.releases, f"{facts['recipe']}@{facts['version']}")
    except UsageError:
        return None


def predict(config: Config, photos: Sequence[Path], run: str | None = None) -> dict[str, Any]:
    """Answer for a photo, or for two that are compared.

    Returns:
        The task's answer (see `Task.describe`), with `model`.

    Raises:
        UsageError: no such model or photo, no face in it, or one photo too many or too few.
    """
    from training.finished import read_model_config
    from training.predict import Predictor

    # Two photos can only be meant for a model that compares, and one only for one that does not.
    tasks = _ANSWERING[:2] if len(photos) == 1 else _ANSWERING[2:]
    folder = model_named(config, run, tasks)
    wanted = 2 if folder.parent.name == "verification" else 1
    if len(photos) != wanted:
        raise UsageError(
            f"{folder.name} is a model for {folder.parent.name}: expected {wanted} photos, found {len(photos)}"
        )
    facts = read_model_config(folder)
    images = [photo_for_model(config, facts, read_photo(photo)) for photo in photos]
    predictor = Predictor(folder)
    answer = predictor.predict(images[0]) if wanted == 1 else predictor.predict_pair(images[0], images[1])
    return {**answer, "model": folder.name}


def find(
    config: Config, photo: Path, run: str | None = None, release_name: str | None = None, count: int = 10
) -> list[Found]:
    """Find the items that a photo may show.

    Raises:
        UsageError: no such model, photo or release.
    """
    from training.find import Finder
    from training.finished import read_model_config

    folder = model_named(config, run, ("metric",))
    image = photo_for_model(config, read_model_config(folder), read_photo(photo))
    return Finder(folder, searched_release(config, folder, release_name), config.data_root).find(image, count)


def searched_release(config: Config, model_folder: Path, name: str | None = None) -> Release:
    """Open the release that is searched: the named one, else that which the model learned from."""
    if name:
        return find_release(config.data_root.releases, name)
    release = release_of(config, model_folder)
    if release is None:
        raise UsageError(f"the release that {model_folder.name} learned from is gone: name another to search")
    return release


def in_words(answer: Mapping[str, Any]) -> dict[str, str]:
    """Say an answer as a person reads it: shares as per cent, numbers with two digits."""
    words: dict[str, str] = {}
    for name, value in answer.items():
        if name == "below_frac":
            words["of the data set below it"] = f"{value:.0%}"
        elif name == "probs":
            words |= {f"probability of {label}": f"{prob:.1%}" for label, prob in value.items()}
        elif name.endswith("_prob"):
            words[name.removesuffix("_prob") + ", probability"] = f"{value:.1%}"
        elif isinstance(value, float):
            words[name] = f"{value:.2f}"
        else:
            words[name.removeprefix("is_")] = {True: "yes", False: "no"}.get(value, str(value))
    return words
