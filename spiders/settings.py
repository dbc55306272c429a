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

_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the spiders know their site
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "spiders.fetch.robots.PoliteRobots": 100,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "spiders.fetch.retry.PatientRetry": 550,
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,  # a proxy would get round the address rule
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
}

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
    handler = "spiders.fetch.handler.GuardedHandler"
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
        "DOWNLOAD_HANDLERS": {"http": handler, "https": handler, "ftp": None, "file": None, "s3": None, "data": None},
        "DOWNLOADER_MIDDLEWARES": dict(_MIDDLEWARES),
        "TWISTED_DNS_RESOLVER": "spiders.fetch.resolver.GuardedResolver",
        "GLEANERY_ALLOW_LOOPBACK": source.allow_loopback,
        "GLEANERY_CHROMIUM": config.chromium,
        "GLEANERY_CHROMEDRIVER": config.chromedriver,
        "ITEM_PIPELINES": {"spiders.pipelines.landing.LandingPipeline": 100},
        "REDIRECT_MAX_TIMES": 5,
        "RETRY_TIMES": pace.MAX_TRIES - 1,
        "RETRY_HTTP_CODES": [429, 500, 502, 503, 504],
        "RETRY_EXCEPTIONS": list(_RETRIED),
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": False,
        "HTTPPROXY_ENABLED": False,
        "LOG_ENABLED": False,  # the run record and its issues tell the story
        "LOGSTATS_INTERVAL": 0,
        "MEMUSAGE_ENABLED": False,
        "STATS_DUMP": False,
        "EXTENSIONS": {
            "scrapy.extensions.telnet.TelnetConsole": None,
            "scrapy.extensions.remote_control.RemoteControl": None,
            "scrapy.extensions.feedexport.FeedExporter": None,
            "scrapy.extensions.logcount.LogCount": None,
        },
    }
