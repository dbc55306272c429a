"""Scrapy item pipelines: land records, fetch images."""
