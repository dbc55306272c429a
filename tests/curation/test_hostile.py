from __future__ import annotations

import pytest

from benchmarks.hostile_files import hostile_files, sound_files
from catalog.errors import BadImage
from catalog.schema import REASONS
from curation.contract import DecodeNeed
from curation.decode import decode_image


def outcome(body: bytes) -> str:
    """The reason why bytes are no picture; empty where they are one."""
    try:
        image = decode_image("x", body, DecodeNeed(min_side_px=64))
    except BadImage as error:
        return error.reason
    assert image.rgb.ndim == 3
    assert image.original().shape[:2] == (image.height_px, image.width_px)
    return ""


@pytest.mark.parametrize(("name", "body"), sound_files(), ids=[name for name, _ in sound_files()])
def test_every_kind_of_file_has_its_outcome(name, body):
    expected = {
        "empty": "decode_empty", "html": "decode_not_an_image", "text": "decode_not_an_image",
        "pdf": "decode_not_an_image", "svg": "decode_vector", "film": "decode_failed", "png-bomb": "decode_bomb",
        "png-wide": "decode_bomb", "png-thin": "decode_bomb",
    }  # fmt: skip
    assert outcome(body) == ("decode_animated" if name.endswith("-moving") else expected.get(name, ""))


def test_broken_files_of_all_kinds_have_a_reason_from_the_list_or_are_pictures():
    found = {outcome(body) for _, body in hostile_files(400)}
    assert found <= {"", *REASONS}
    assert {"", "decode_truncated", "decode_failed", "decode_not_an_image"} <= found
