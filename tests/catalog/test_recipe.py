from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import UsageError
from catalog.recipe import SHIPPED, load_recipe, parse_recipe

GOOD = '[recipe]\ntitle = "t"\nsources = ["uni-*"]\nsubject_kind = "person"\nslots = ["portrait"]\n'


def test_every_shipped_recipe_reads(tmp_path: Path) -> None:
    names = {path.stem for folder in SHIPPED for path in folder.glob("*.toml")}
    assert {"majors", "street2shop"} <= names
    for name in names:
        assert load_recipe(name, tmp_path).name == name


def test_patterns_choose_sources() -> None:
    recipe = parse_recipe("x", GOOD, "x.toml")
    assert recipe.matches_source("uni-cs")
    assert not recipe.matches_source("shop")


def test_the_roots_own_recipe_wins(tmp_path: Path) -> None:
    (tmp_path / "majors.toml").write_text(GOOD)
    assert load_recipe("majors", tmp_path).title == "t"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[recipe", "not TOML"),
        ("[recipe]\ntitle = 'x'", "lacks sources"),
        (GOOD + "colour = 1", "colour"),
        (GOOD + "[stagez]", "stagez"),
        (GOOD.replace("portrait", "face"), "unknown slot face"),
        (GOOD.replace('["uni-*"]', '"uni-*"'), "list of texts"),
    ],
)
def test_mistakes_are_named(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_recipe("x", text, "x.toml")


def test_an_unknown_recipe_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="majors"):
        load_recipe("minors", tmp_path)


def test_the_digest_follows_what_the_recipe_says_of_the_data() -> None:
    base = parse_recipe("x", GOOD, "x").recipe_sha256
    assert parse_recipe("x", GOOD + "# a comment\n", "y").recipe_sha256 == base
    assert parse_recipe("x", GOOD + "[stages.quality]\n", "x").recipe_sha256 != base
    assert parse_recipe("x", GOOD + '[training]\ntask = "metric"\n', "x").recipe_sha256 == base
