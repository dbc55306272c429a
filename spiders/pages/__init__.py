"""Pure readers of saved pages: bytes in, records and issues out; no network, no clock, no Scrapy types."""
