"""Recipes: the TOML that says how a data set is made.

A recipe of the name `majors` is looked for in the data root's `recipes/`, then among those that ship. Sections:
`[recipe]` what goes in, `[stages.<name>]` settings of each stage, `[splits]`, `[pairs]`, `[gates]`, `[release]`,
`[training]`, `[review]`. See docs/data-format.md.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import UsageError
from catalog.ids import digest
from catalog.schema import ROLE_CLASSES, SLOTS, SUBJECT_KINDS

SECTIONS = ("recipe", "stages", "splits", "pairs", "gates", "release", "training", "review")
_RECIPE_KEYS = {
    "title", "purpose", "sources", "subject_kind", "slots", "role_classes", "label", "with_former", "card",
    "buyer_facts",
}  # fmt: skip
SHIPPED = (Path(__file__).parent / "recipes", Path(__file__).parent.parent / "data" / "recipes")
"""Where the tracked recipes are: installed, and in a checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One recipe, checked."""

    name: str
    title: str
    purpose: str
    """What the label is and what the data set is meant for; goes into the card."""
    sources: tuple[str, ...]
    """Names or patterns (`sample-*`) of the sources that go in."""
    subject_kind: str
    slots: tuple[str, ...]
    role_classes: tuple[str, ...] = ()
    """Only these, where not empty."""
    label: str = "label"
    """`label` (the source's), or `attributes.<name>` of the subject."""
    with_former: bool = True
    """Whether people who no longer work there are taken."""
    buyer_facts: tuple[str, ...] = ()
    """What is kept of buyers beside their photos: `country`, `measures`; by default nothing."""
    card: Mapping[str, Any] = field(default_factory=dict)
    """Further texts of the card: limits, contact, licence note."""
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings per stage; a stage that is not named here does not run."""
    splits: Mapping[str, Any] = field(default_factory=dict)
    pairs: Mapping[str, Any] = field(default_factory=dict)
    gates: Mapping[str, Any] = field(default_factory=dict)
    release: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    review: Mapping[str, Any] = field(default_factory=dict)
    """How people work on it: `overlap_frac`, and `precision` and `recall` at which they may stop."""

    @property
    def recipe_sha256(self) -> str:
        """Digest of all that the recipe says about the data (training and review left out)."""
        return digest(
            [self.name, self.title, self.purpose, self.sources, self.subject_kind, self.slots, self.role_classes,
             self.label, self.with_former, dict(self.card), self.stages, self.splits, self.pairs, self.gates,
             self.release, self.buyer_facts]
        )  # fmt: skip

    def matches_source(self, source: str) -> bool:
        """Tell whether a source goes into this recipe."""
        return any(fnmatch.fnmatchcase(source, pattern) for pattern in self.sources)

    def params(self, stage: str) -> dict[str, Any]:
        """Settings of one stage, a fresh dict."""
        return dict(self.stages.get(stage, {}))


def parse_recipe(name: str, text: str, where: str) -> Recipe:
    """Read a recipe.

    Args:
        name: the file's stem.
        text: TOML.
        where: named in errors.

    Raises:
        UsageError: no TOML, an unknown section or key, a missing or wrong value.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where}: not TOML: {error}") from error
    _refuse_unknown(where, "section", table, SECTIONS)
    head = table.get("recipe", {})
    _refuse_unknown(where, "key of [recipe]", head, _RECIPE_KEYS)
    missing = [key for key in ("title", "sources", "subject_kind", "slots") if key not in head]
    if missing:
        raise UsageError(f"{where}: [recipe] lacks {', '.join(missing)}")
    sections: dict[str, Any] = {key: table.get(key, {}) for key in SECTIONS[1:]}
    recipe = Recipe(
        name=name,
        title=str(head["title"]),
        purpose=str(head.get("purpose", "")),
        sources=_texts(where, "sources", head["sources"]),
        subject_kind=str(head["subject_kind"]),
        slots=_texts(where, "slots", head["slots"]),
        role_classes=_texts(where, "role_classes", head.get("role_classes", [])),
        label=str(head.get("label", "label")),
        with_former=bool(head.get("with_former", True)),
        buyer_facts=_texts(where, "buyer_facts", head.get("buyer_facts", [])),
        card=head.get("card", {}),
        **sections,
    )
    _refuse_unknown(where, "subject_kind", [recipe.subject_kind], SUBJECT_KINDS)
    _refuse_unknown(where, "slot", recipe.slots, SLOTS)
    _refuse_unknown(where, "role class", recipe.role_classes, ROLE_CLASSES)
    return recipe


def load_recipe(name_or_path: str, recipes_folder: Path) -> Recipe:
    """Find and read a recipe by name (the root's own first, then those that ship) or by path.

    Raises:
        UsageError: there is none; lists the names that there are.
    """
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        if path.is_file():
            return parse_recipe(path.stem, path.read_text(encoding="utf-8"), str(path))
        raise UsageError(f"no recipe at {path}")
    folders = (recipes_folder, *SHIPPED)
    for folder in folders:
        path = folder / f"{name_or_path}.toml"
        if path.is_file():
            return parse_recipe(path.stem, path.read_text(encoding="utf-8"), str(path))
    names = sorted({path.stem for folder in folders for path in folder.glob("*.toml")})
    raise UsageError(f"no recipe {name_or_path!r}, expected one of: {', '.join(names) or '(none)'}")


def _texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where}: {key} must be a list of texts, found {value!r}")
    return tuple(value)


def _refuse_unknown(where: str, what: str, found: Any, known: Any) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise UsageError(f"{where}: unknown {what} {', '.join(unknown)}, expected one of: {', '.join(sorted(known))}")
