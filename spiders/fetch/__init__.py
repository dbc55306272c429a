"""How documents are fetched: plain HTTP through Scrapy, or headless Chromium."""
