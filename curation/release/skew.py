"""The skew of a data set of pairs: how many pictures people have, per part, and how much the pairs lean on a few."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from catalog.schema import SPLITS
from curation.stages.strata import identity_of

BINS = (1, 2, 3, 5, 9, 17, 33, 65)
"""Lower ends of the bins of pictures per person."""
COLOURS = {"train": "#4063a8", "validation": "#e0a030", "test": "#b0404f"}
_WIDTH, _HEIGHT, _LEFT, _BASE = 720, 260, 46, 210


def skew_facts(samples: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, Any]:
    """Count people by how many pictures they have, per part, and how often the most used person stands in a pair.

    Args:
        samples: label, subject_id, split and sample_id.
        pairs: rows of pairs.parquet.
    """
    who = identity_of(samples)
    names = dict(zip(samples["sample_id"], who, strict=True))
    facts: dict[str, Any] = {}
    for part in [split for split in SPLITS if (samples["split"] == split).any()]:
        pictures = who[samples["split"] == part].value_counts()
        rows = pairs[pairs["split"] == part]
        used = pd.concat([rows["sample_id_a"], rows["sample_id_b"]]).map(names)
        places = np.searchsorted(BINS, pictures.to_numpy(np.int64), side="right") - 1
        facts[part] = {
            "people_count": len(pictures),
            "largest_pictures_frac": round(float(pictures.max() / pictures.sum()), 6),
            "largest_pairs_frac": round(float(used.value_counts().max() / len(used)), 6) if len(used) else 0.0,
            "people_by_pictures": np.bincount(places, minlength=len(BINS)).tolist(),
        }
    return facts


def skew_svg(skew: dict[str, Any]) -> str:
    """Draw the share of a part's people that have so many pictures, parts side by side, as an SVG element."""
    parts = list(skew)
    names = [f"{low}" if low + 1 == high else f"{low}-{high - 1}" for low, high in pairwise(BINS)]
    names.append(f"{BINS[-1]}+")
    step = (_WIDTH - _LEFT - 10) / len(BINS)
    bar = step * 0.8 / max(1, len(parts))
    shapes = []
    for tick in (0, 25, 50, 75, 100):
        y = _BASE - tick * 1.8
        shapes.append(f'<line x1="{_LEFT}" x2="{_WIDTH}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        shapes.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{tick} %</text>')
    for row, name in enumerate(names):
        x = _LEFT + step * (row + 0.1)
        shapes.append(f'<text x="{x + step * 0.4:.1f}" y="{_BASE + 18}" text-anchor="middle">{name}</text>')
        for column, part in enumerate(parts):
            count = skew[part]["people_by_pictures"][row]
            height = 180 * count / max(1, skew[part]["people_count"])
            shapes.append(
                f'<rect x="{x + column * bar:.1f}" y="{_BASE - height:.1f}" width="{bar - 1:.1f}" '
                f'height="{height:.1f}" fill="{COLOURS[part]}"><title>{part}: {count}</title></rect>'
            )
    for column, part in enumerate(parts):
        x = _LEFT + 120 * column
        shapes.append(f'<rect x="{x}" y="{_HEIGHT - 16}" width="12" height="12" fill="{COLOURS[part]}"/>')
        shapes.append(f'<text x="{x + 18}" y="{_HEIGHT - 6}">{part}</text>')
    label = "Share of the people of each part by how many pictures they have there"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}" '
        f'font-family="sans-serif" font-size="12">{"".join(shapes)}</svg>'
    )
