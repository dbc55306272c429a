"""Reading WebDataset shards that `gleanery release export NAME webdataset` wrote, by number and without unpacking.

`index.parquet` beside the shards says where each picture stands. Any WebDataset reader reads the shards as well.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

INDEX = "index.parquet"


class ShardSet:
    """Pictures of one split, read by number; may be handed to a torch DataLoader as it is.

    Shards are opened on first use in each process, so the object can be sent to workers.
    """

    def __init__(self, folder: Path, split: str = "") -> None:
        """Open the index.

        Args:
            folder: of the export.
            split: train, validation or test; all where empty.

        Raises:
            UsageError: the folder holds no such export.
        """
        import pandas as pd

        if not (folder / INDEX).is_file():
            raise UsageError(f"{folder}: expected a WebDataset export with its {INDEX}")
        index = pd.read_parquet(folder / INDEX)
        if split:
            index = index[index["split"] == split]
        self.index: pd.DataFrame = index.reset_index(drop=True)
        """sample_id, split, label, class_index, shard, offset, size_bytes."""
        self._folder = folder
        self._shards = index["shard"].tolist()
        self._offsets = index["offset"].tolist()
        self._sizes = index["size_bytes"].tolist()
        self._classes = index["class_index"].tolist()
        self._maps: dict[str, mmap.mmap] = {}

    def __len__(self) -> int:
        return len(self._shards)

    def __getitem__(self, row: int) -> tuple[bytes, int]:
        """Give the JPEG bytes of a picture and the number of its class."""
        shard = self._shards[row]
        if shard not in self._maps:
            with (self._folder / shard).open("rb") as stream:
                self._maps[shard] = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        start = self._offsets[row]
        return self._maps[shard][start : start + self._sizes[row]], self._classes[row]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}
