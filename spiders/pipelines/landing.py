"""Every record that a spider yields lands as one line, at once."""

from __future__ import annotations

from typing import Any

from scrapy.crawler import Crawler

from catalog.landing import LandingWriter
from catalog.schema import Record


class LandingPipeline:
    """Appends records to the run of the spider's work."""

    def __init__(self, writer: LandingWriter) -> None:
        self._writer = writer

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> LandingPipeline:
        """Take the writer from the spider, which was given it."""
        spider: Any = crawler.spider
        return cls(spider.work.writer)

    def process_item(self, item: Record) -> Record:
        """Land one record; the same twice is kept once."""
        self._writer.add(item)
        return item
