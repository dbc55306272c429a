import pytest

from catalog.errors import CatalogCorrupt
from catalog.suspects import SUSPECTS, Suspect, read_suspects, write_suspects


def suspect(sample: str, label_prob: float) -> Suspect:
    return Suspect(
        sample_id=sample, image_id="i", label="cs", suggested="german", label_prob=label_prob, suggested_prob=0.9
    )


def test_suspects_come_back_most_doubtful_first_and_only_for_their_recipe(tmp_path):
    run = tmp_path / "classification" / "run-1"
    run.mkdir(parents=True)
    write_suspects(run, "majors", "2026-01-01.1", [suspect("b", 0.3), suspect("a", 0.1)])
    assert [(release, one.sample_id) for release, one in read_suspects(tmp_path, "majors")] == [
        ("2026-01-01.1", "a"),
        ("2026-01-01.1", "b"),
    ]
    assert list(read_suspects(tmp_path, "faces")) == []


def test_a_broken_file_is_named(tmp_path):
    run = tmp_path / "classification" / "run-1"
    run.mkdir(parents=True)
    (run / SUSPECTS).write_text('{"recipe": "majors"}')
    with pytest.raises(CatalogCorrupt, match=SUSPECTS):
        list(read_suspects(tmp_path, "majors"))
