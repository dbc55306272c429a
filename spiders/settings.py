"""Scrapy settings of a crawl; the same for every source but for pace and name."""

from __future__ import annotations

from typing import Any

from catalog.config import Config
from spiders.policy import pace
from spiders.policy.agent import ROBOT_NAME, user_agent
from spiders.sources import Source

PAGE_BYTES = 10 * 1024 * 1024
"""Larger pages are refused: the readers' own limit."""

IMAGE_BYTES = 25 * 1024 * 1024
"""Larger pictures are refused; portraits and product photos are far smaller."""

_HANDLER = "spiders.fetch.handler.GuardedHandler"
_RESOLVER = "spiders.fetch.resolver.GuardedResolver"
_PIPELINE = "spiders.pipelines.landing.LandingPipeline"

_MIDDLEWARES = {
    "spiders.fetch.robots.PoliteRobots": 100,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "spiders.fetch.retry.PatientRetry": 550,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": 580,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
}
"""All that a request passes. Scrapy's own list is not added to: cookies, caches, passwords and proxies (which would
get round the address rule) have no place here."""

_RETRIED = (
    "scrapy.exceptions.DownloadConnectionRefusedError",
    "scrapy.exceptions.DownloadFailedError",
    "scrapy.exceptions.DownloadTimeoutError",
    "scrapy.exceptions.ResponseDataLossError",
)


def scrapy_settings(source: Source, config: Config) -> dict[str, Any]:
    """Give the settings of one crawl.

    Raises:
        UsageError: no contact, although the crawl leaves this machine.
    """
    return {
        "BOT_NAME": ROBOT_NAME,
        "USER_AGENT": user_agent(config.contact, source.is_on_loopback),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": ROBOT_NAME,
        # An HTTP server that runs the Python sent to it, and a console of the same kind: never.
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "DOWNLOAD_DELAY": source.delay_s,
        "DOWNLOAD_DELAY_JITTER": 0.0,  # a floor is no floor if it wobbles
        "CONCURRENT_REQUESTS": 32,
        "CONCURRENT_REQUESTS_PER_DOMAIN": source.concurrency,
        "DOWNLOAD_TIMEOUT": 60,
        "DOWNLOAD_MAXSIZE": IMAGE_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_HANDLERS": {
            "http": _HANDLER,
            "https": _HANDLER,
            "ftp": None,
            "file": None,
            "s3": None,
            "data": None,
        },
        "DOWNLOADER_MIDDLEWARES": dict(_MIDDLEWARES),
        "TWISTED_DNS_RESOLVER": _RESOLVER,
        "GLEANERY_ALLOW_LOOPBACK": source.allow_loopback,
        "GLEANERY_CHROMIUM": config.chromium,
        "GLEANERY_CHROMEDRIVER": config.chromedriver,
        "ITEM_PIPELINES": {_PIPELINE: 100},
        "REDIRECT_MAX_TIMES": 5,
        "RETRY_TIMES": pace.MAX_TRIES - 1,
        "RETRY_HTTP_CODES": [429, 500, 502, 503, 504],
        "RETRY_EXCEPTIONS": list(_RETRIED),
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": False,
        "HTTPPROXY_ENABLED": False,
        "LOG_INSTALL_ROOT_HANDLER": False,
        "LOG_ENABLED": False,  # the run record and its issues tell the story
        "STATS_DUMP": False,
        # No extension at all (Scrapy starts eleven by itself, its remote control among them), and no spider
        # middleware: the spiders fetch through the downloader.
        "EXTENSIONS_BASE": {},
        "SPIDER_MIDDLEWARES_BASE": {},
        "DOWNLOADER_MIDDLEWARES_BASE": {},
    }


def components() -> list[str]:
    """List the modules of all parts that Scrapy loads by name, for a process that wants them loaded beforehand."""
    names = [*_MIDDLEWARES, _HANDLER, _RESOLVER, _PIPELINE]
    return sorted({name.rpartition(".")[0] for name in names})
