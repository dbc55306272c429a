from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from catalog.errors import BadImage
from curation.contract import DecodeNeed
from curation.decode import PIXELS_LIMIT, SIDE_LIMIT_PX, decode_image

WHOLE = DecodeNeed(min_side_px=10**6)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def reason(body: bytes) -> str:
    with pytest.raises(BadImage) as caught:
        decode_image("x", body, WHOLE).original()
    return caught.value.reason


def png_declaring(width: int, height: int) -> bytes:
    """A tiny PNG whose header claims a huge picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
        + struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95}, 12), ("JPEG", {"quality": 95, "progressive": True}, 12), ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0), ("AVIF", {"quality": 95}, 12), ("BMP", {}, 0), ("TIFF", {}, 0),
        ("PPM", {}, 0), ("JPEG2000", {"irreversible": False}, 1), ("GIF", {}, 40),
    ],
)  # fmt: skip
def test_reads_what_the_web_serves(draw, kind, options, tolerance):
    rgb = draw(1, 96, 64)
    image = decode_image("x", saved(Image.fromarray(rgb), kind, **options), WHOLE)
    assert (image.width_px, image.height_px) == (96, 64)
    assert image.rgb.shape == (64, 96, 3)
    assert image.rgb.dtype == np.uint8
    error = np.abs(image.rgb.astype(int) - rgb)
    assert error.mean() <= tolerance


def test_gives_modes_as_rgb():
    red = Image.new("RGB", (40, 30), (200, 30, 40))
    for body in (
        saved(red.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
        saved(red.convert("RGBA"), "PNG"),
        saved(red.convert("CMYK"), "JPEG", quality=95),
        saved(red.convert("CMYK"), "TIFF"),
    ):
        rgb = decode_image("x", body, WHOLE).rgb
        assert np.abs(rgb.astype(int) - (200, 30, 40)).max() <= 6


def test_puts_alpha_on_white():
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert (decode_image("x", saved(clear, "PNG"), WHOLE).rgb == 255).all()
    palette = Image.new("P", (10, 10), 0)
    palette.putpalette([9, 9, 9] * 256)
    assert (decode_image("x", saved(palette, "PNG", transparency=0), WHOLE).rgb == 255).all()


def test_scales_sixteen_bit_to_eight():
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        rgb = decode_image("x", saved(Image.fromarray(ramp), kind), WHOLE).rgb
        assert np.abs(rgb[..., 0].astype(float) - ramp / 257).max() <= 1


def test_turns_by_exif_like_a_naive_turn(draw):
    rgb = draw(2, 64, 48)
    turned = {1: rgb, 3: rgb[::-1, ::-1], 6: np.rot90(rgb, 3), 8: np.rot90(rgb, 1), 2: rgb[:, ::-1], 4: rgb[::-1]}
    for orientation, expected in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = decode_image("x", saved(Image.fromarray(rgb), "PNG", exif=exif), WHOLE)
        assert np.array_equal(image.rgb, expected)
        assert (image.height_px, image.width_px) == expected.shape[:2]


def swapped_profile() -> bytes:
    """An sRGB profile in which red and blue have changed places, under another name."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = srgb.replace("sRGB".encode("utf-16-be"), "xyzw".encode("utf-16-be"))
    return renamed.replace(b"rXYZ", b"tmp!", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"tmp!", b"bXYZ", 1)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("JPEG", {"quality": 100, "subsampling": 0})])
def test_follows_a_colour_profile(kind, options):
    image = Image.new("RGB", (64, 64), (120, 90, 60))

    def read(profile: bytes | None) -> list[int]:
        extra = {} if profile is None else {"icc_profile": profile}
        return decode_image("x", saved(image, kind, **options, **extra), WHOLE).rgb[5, 5].astype(int).tolist()

    plain = read(None)
    assert read(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) == plain
    assert read(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()) == plain
    assert read(b"broken") == plain
    assert np.abs(np.subtract(read(swapped_profile()), plain[::-1])).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_scales_by_need_and_tells_by_how_much(draw, kind):
    body = saved(Image.fromarray(draw(3, 800, 600)), kind)
    image = decode_image("x", body, DecodeNeed(min_side_px=128))
    assert image.rgb.shape == (150, 200, 3)
    assert image.scale == 0.25
    assert image.original().shape == (600, 800, 3)
    small = np.asarray(Image.fromarray(image.original()).reduce(4)).astype(int)
    assert np.abs(image.rgb - small).mean() < 3
    assert decode_image("x", body, DecodeNeed(min_side_px=900)).rgb.shape == (600, 800, 3)


def test_says_why_bytes_are_no_picture(draw):
    jpeg = saved(Image.fromarray(draw(4, 200, 150)), "JPEG")
    png = saved(Image.fromarray(draw(4, 200, 150)), "PNG")
    frames = [Image.fromarray(draw(seed, 40, 30)) for seed in range(3)]
    moving = {"save_all": True, "append_images": frames[1:]}
    cases = {
        b"": "decode_empty",
        b"<!doctype html><html><body><svg></svg></body></html>": "decode_not_an_image",
        b"Not found": "decode_not_an_image",
        b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>': "decode_vector",
        jpeg[: len(jpeg) // 2]: "decode_truncated",
        jpeg[:30]: "decode_truncated",
        png[: len(png) // 2]: "decode_truncated",
        png_declaring(60_000, 60_000): "decode_bomb",
        png_declaring(PIXELS_LIMIT // 10_000 + 1, 10_000): "decode_bomb",
        saved(Image.new("L", (SIDE_LIMIT_PX + 1, 1)), "PNG"): "decode_bomb",
        saved(Image.new("L", (1, 2_000_000)), "PNG"): "decode_bomb",
        saved(frames[0], "GIF", **moving): "decode_animated",
        saved(frames[0], "WEBP", **moving): "decode_animated",
        saved(frames[0], "PNG", **moving): "decode_animated",
    }
    for body, expected in cases.items():
        assert reason(body) == expected, body[:40]


def test_many_frames_are_a_bomb():
    frames = [Image.new("L", (2, 2), number % 256) for number in range(1002)]
    body = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], optimize=False)
    assert reason(body) == "decode_bomb"


def test_mutated_files_never_raise_anything_else(draw):
    random = np.random.default_rng(5)
    image = Image.fromarray(draw(6, 60, 50))
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF"):
        body = bytearray(saved(image, kind))
        for _ in range(40):
            broken = bytearray(body)
            for position in random.integers(0, len(body), 8):
                broken[position] = random.integers(256)
            if random.random() < 0.3:
                broken = broken[: random.integers(1, len(body))]
            with contextlib.suppress(BadImage):
                assert decode_image("x", bytes(broken), WHOLE).rgb.ndim == 3
