from __future__ import annotations

import threading
from pathlib import Path

import pytest

from catalog.errors import GleaneryError
from catalog.manifests import MANIFEST
from catalog.paths import DataRoot
from catalog.readers import ReleaseEnding, ending, reading

RELEASE = ("majors", "2026-11-21.1")
TAKEDOWN = "take_0123456789abcdef"


@pytest.fixture
def root(tmp_path: Path) -> DataRoot:
    root = DataRoot(tmp_path)
    for recipe, version in (RELEASE, ("majors", "2026-11-22.1")):
        root.release_folder(recipe, version).mkdir(parents=True)
        (root.release_folder(recipe, version) / MANIFEST).write_text("{}")
    return root


def test_many_read_and_a_takedown_waits_until_they_were_told_and_left(root: DataRoot) -> None:
    begun, held = threading.Event(), threading.Event()
    told: list[str] = []

    def read() -> None:
        try:
            with reading(root, *RELEASE) as check:
                begun.set()
                while not held.is_set():
                    check()
        except ReleaseEnding as error:
            told.append(str(error))

    with reading(root, "majors", "2026-11-22.1") as untouched:
        reader = threading.Thread(target=read)
        reader.start()
        assert begun.wait(10)
        with ending(root, *RELEASE, TAKEDOWN, patience_s=10):
            held.set()
            with pytest.raises(ReleaseEnding), reading(root, *RELEASE):
                pass
            untouched()
        reader.join()
    (word,) = told  # it left because it was told to, not after the takedown held the release
    assert TAKEDOWN in word
    with reading(root, *RELEASE) as check:
        check()


def test_a_reader_that_does_not_leave_is_named_and_nobody_new_begins(root: DataRoot) -> None:
    with reading(root, *RELEASE):
        with (
            pytest.raises(GleaneryError, match=f"still being read.*--request {TAKEDOWN}"),
            ending(root, *RELEASE, TAKEDOWN, patience_s=0),
        ):
            pytest.fail("it was held beside a reader")
        with pytest.raises(ReleaseEnding, match=TAKEDOWN), reading(root, *RELEASE):
            pass
    with ending(root, *RELEASE, TAKEDOWN, patience_s=0):
        pass  # the takedown goes on
    with reading(root, *RELEASE):
        pass


def test_a_takedown_that_was_cut_off_keeps_readers_away(root: DataRoot) -> None:
    with pytest.raises(KeyboardInterrupt), ending(root, *RELEASE, TAKEDOWN, patience_s=0):
        raise KeyboardInterrupt
    with pytest.raises(ReleaseEnding, match=TAKEDOWN), reading(root, *RELEASE):
        pass


def test_a_release_that_was_ended_is_not_read(root: DataRoot) -> None:
    (root.release_folder(*RELEASE) / MANIFEST).unlink()
    with pytest.raises(ReleaseEnding, match="take the version after it"), reading(root, *RELEASE):
        pass
