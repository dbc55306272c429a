"""What changed from one release to another."""

from __future__ import annotations

from typing import Any

from catalog.release_format import Release


def diff_releases(old: Release, new: Release) -> dict[str, Any]:
    """Compare two releases sample by sample.

    Returns:
        `added`, `removed`, `moved` (another split), `relabelled` and `redrawn` (other picture bytes): sorted sample
        ids; `counts` of each; and `conflicts`: groups whose two sides new copies joined, as the newer certificate
        tells them.
    """
    before = old.samples().set_index("sample_id")
    after = new.samples().set_index("sample_id")
    common = before.index.intersection(after.index)
    left, right = before.loc[common], after.loc[common]
    changes = {
        "added": after.index.difference(before.index),
        "removed": before.index.difference(after.index),
        "moved": common[(left["split"] != right["split"]).to_numpy()],
        "relabelled": common[(left["label"] != right["label"]).to_numpy()],
        "redrawn": common[
            [
                _picture_sha256(old, a) != _picture_sha256(new, b)
                for a, b in zip(left["path"], right["path"], strict=True)
            ]
        ],
    }
    return {
        **{name: sorted(ids) for name, ids in changes.items()},
        "counts": {name: len(ids) for name, ids in changes.items()},
        "conflicts": new.certificate().get("conflicts", []),
    }


def _picture_sha256(release: Release, path: str) -> str:
    return str(release.manifest["files"][path]["sha256"])
