"""A request that policy forbids, in the form that Scrapy's machinery lets through to whoever asked."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest

from catalog.errors import PolicyRefused


class Refused(IgnoreRequest):
    """Never retried; carries a reason slug (see `catalog.schema.REASONS`) and a sentence for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    @classmethod
    def of(cls, error: PolicyRefused) -> Refused:
        """Turn a policy's refusal into one that Scrapy passes on."""
        return cls(error.reason, str(error).partition(": ")[2])
