"""A small planted data root: pictures drawn or read by the test, put into the catalog by the real road."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from catalog import ids
from catalog.blobs import BlobStore
from catalog.config import Config
from catalog.db import Catalog
from catalog.ingest import ingest_run
from catalog.landing import LandingWriter
from catalog.paths import DataRoot
from catalog.schema import ImageRecord, PageRecord, RunRecord, SightingRecord, SubjectRecord

NOW = "2026-11-21T05:00:00Z"


@dataclass
class World:
    """A data root with a catalog, and a way to add what a crawl would."""

    root: DataRoot
    catalog: Catalog
    config: Config
    runs: int = field(default=0)

    def add(self, sightings: Iterable[dict[str, Any]], source: str = "sample-a") -> list[str]:
        """Land and ingest a run; each row has body, subject, label, and what else of the records it sets.

        Returns the image ids, in the order given.
        """
        self.runs += 1
        blobs = BlobStore(self.root.blobs)
        run_id = f"20261121T05{self.runs:04d}Z-{self.runs:06d}"
        found = []
        with LandingWriter(self.root.run_folder(source, run_id)) as writer:
            page = ids.page_id(source, "http://127.0.0.2/")
            writer.add(
                PageRecord(
                    page_id=page,
                    source=source,
                    url="http://127.0.0.2/",
                    final_url="http://127.0.0.2/",
                    status=200,
                    via="http",
                    body_sha256=None,
                    fetched_at=NOW,
                )
            )
            for number, row in enumerate(sightings):
                image = blobs.put(row["body"])
                found.append(image)
                url = f"http://127.0.0.2/{image[:12]}.jpg"
                subject = ids.subject_id(source, row["subject"])
                slot = row.get("slot", "portrait")
                writer.add(
                    ImageRecord(image_id=image, source=source, url=url, size_bytes=len(row["body"]), fetched_at=NOW)
                )
                writer.add(
                    SubjectRecord(
                        subject_id=subject,
                        source=source,
                        kind=row.get("kind", "person"),
                        label=row.get("label"),
                        name=row.get("name", f"Name {row['subject']}"),
                        role_class=row.get("role_class", "professor"),
                        is_former=row.get("is_former", False),
                        organisation=row.get("organisation", source),
                        attributes=row.get("attributes", {}),
                    )
                )
                writer.add(
                    SightingRecord(
                        sighting_id=ids.sighting_id(source, page, subject, slot, url, image),
                        source=source,
                        page_id=page,
                        subject_id=subject,
                        slot=slot,
                        rank=row.get("rank", number),
                        image_url=url,
                        image_id=image,
                    )
                )
            writer.finish(
                RunRecord(run_id=run_id, source=source, kind="crawl", state="ok", started_at=NOW, finished_at=NOW)
            )
        ingest_run(self.catalog, self.root.run_folder(source, run_id))
        return found


@pytest.fixture
def world(tmp_path: Path):
    config = Config(root=tmp_path / "store", executor="inline")
    with Catalog(config.catalog_url) as catalog:
        yield World(config.data_root, catalog, config)


Draw = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Gives `draw(seed, width, height)`: a picture with shapes, shading and texture, (H, W, 3) uint8."""

    def picture(seed: int, width: int = 160, height: int = 120) -> np.ndarray:
        random = np.random.default_rng(seed)
        y, x = np.mgrid[0:height, 0:width] / max(width, height)
        rgb = np.zeros((height, width, 3))
        for channel in range(3):
            rgb[..., channel] = 128 + 60 * np.sin(random.uniform(2, 9) * x + random.uniform(2, 9) * y + channel)
        for _ in range(14):
            centre, radius = random.uniform(0, 1, 2), random.uniform(0.03, 0.2)
            inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
            rgb[inside] = random.uniform(0, 255, 3)
        rgb += random.normal(0, 6, rgb.shape)
        return np.clip(rgb, 0, 255).astype(np.uint8)

    return picture


Encode = Callable[..., bytes]


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Gives `encode(rgb, format, **options)`: the bytes of a file."""

    def file(rgb: np.ndarray, kind: str = "JPEG", **options: Any) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(rgb).save(stream, kind, **({"quality": 92} | options if kind == "JPEG" else options))
        return stream.getvalue()

    return file


DrawFace = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def draw_face() -> DrawFace:
    """Gives `draw_face(seed, size)`: a frontal face that YuNet finds, (size, size, 3) uint8."""

    def picture(
        seed: int, size: int = 300, faces: tuple[tuple[float, float, float], ...] = ((0.5, 0.5, 0.3),)
    ) -> np.ndarray:
        random = np.random.default_rng(seed)
        image = Image.new("RGB", (size, size), tuple(int(v) for v in random.integers(90, 200, 3)))
        for x, y, radius in faces:
            _draw_face(ImageDraw.Draw(image), random, x * size, y * size, radius * size)
        soft = image.filter(ImageFilter.GaussianBlur(size / 200))
        noisy = np.asarray(soft, np.float64) + random.normal(0, 4, (size, size, 3))
        return np.clip(noisy, 0, 255).astype(np.uint8)

    return picture


def _draw_face(pen: ImageDraw.ImageDraw, random: np.random.Generator, x: float, y: float, r: float) -> None:
    def oval(cx: float, cy: float, rx: float, ry: float, colour: tuple[int, ...]) -> None:
        pen.ellipse((x + (cx - rx) * r, y + (cy - ry) * r, x + (cx + rx) * r, y + (cy + ry) * r), fill=colour)

    skin = tuple(int(v) for v in np.array([224, 178, 148]) + random.integers(-20, 20))
    dark = tuple(int(v * 0.82) for v in skin)
    hair = tuple(int(v) for v in random.integers(20, 90, 3))
    oval(0, -0.25, 0.95, 1.1, hair)
    oval(0, 1.4, 0.5, 0.6, dark)
    oval(0, 0, 0.78, 1.05, skin)
    oval(0, -0.75, 0.7, 0.35, hair)
    for side in (-1, 1):
        oval(side * 0.33, -0.12, 0.17, 0.085, (245, 245, 245))
        oval(side * 0.33, -0.12, 0.075, 0.08, (50, 35, 30))
        oval(side * 0.33, -0.31, 0.2, 0.04, hair)
        oval(side * 0.5, 0.3, 0.18, 0.12, tuple(int(v * 0.96) for v in skin))
    oval(0, 0.12, 0.07, 0.22, dark)
    oval(0, 0.27, 0.13, 0.06, tuple(int(v * 0.75) for v in skin))
    oval(0, 0.55, 0.28, 0.07, (165, 70, 75))
