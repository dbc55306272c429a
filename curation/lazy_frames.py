"""Frames by stage, each read when it is first asked for: of a million rows most are never wanted."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import Self

import pandas as pd


class LazyFrames(Mapping[str, pd.DataFrame]):
    """Stage -> frame; a subclass says how one is read."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = tuple(names)
        self._frames: dict[str, pd.DataFrame] = {}

    @abstractmethod
    def _read(self, name: str) -> pd.DataFrame:
        """Read the frame of one of its stages."""

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._frames:
            self._frames[name] = self._read(name)
        return self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names  # a Mapping would read the frame to know

    def only(self, names: Iterable[str]) -> Self:
        """Give the same frames less those of other stages."""
        wanted = set(names)
        chosen = copy(self)  # what was read is shared
        chosen._names = tuple(name for name in self._names if name in wanted)
        return chosen
