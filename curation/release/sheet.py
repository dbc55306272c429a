"""Contact sheets: many pictures of a release on one, to be looked at by a person."""

from __future__ import annotations

import io

from PIL import Image

from catalog.release_format import Release


def contact_sheet(release: Release, columns: int = 20, rows: int = 12, tile_px: int = 96, split: str = "") -> bytes:
    """Put the first pictures of a release, by sample id, side by side.

    Sample ids are hashes: the first ones are as good as a random draw, and the same each time.

    Args:
        release: what to show.
        columns: tiles across.
        rows: tiles down; fewer where there are fewer pictures.
        tile_px: side of a tile; pictures are fitted into it.
        split: only this part, or all where empty.

    Returns:
        A JPEG file.
    """
    samples = release.samples()
    if split:
        samples = samples[samples["split"] == split]
    paths = samples.sort_values("sample_id")["path"].head(columns * rows)
    height = max(1, -(-len(paths) // columns))
    sheet = Image.new("RGB", (columns * tile_px, height * tile_px), (245, 245, 242))
    for number, path in enumerate(paths):
        with Image.open(release.folder / path) as picture:
            tile = picture.convert("RGB")
        tile.thumbnail((tile_px - 2, tile_px - 2), Image.Resampling.LANCZOS)
        x = (number % columns) * tile_px + (tile_px - tile.width) // 2
        y = (number // columns) * tile_px + (tile_px - tile.height) // 2
        sheet.paste(tile, (x, y))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=88)
    return stream.getvalue()
