"""placeholder"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shop:
    items: tuple = ()
    categories: tuple = ()
    blocked: tuple = ()
    images: dict = field(default_factory=dict)


def build_shop(seed, scale):
    return Shop()
