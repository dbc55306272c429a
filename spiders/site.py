"""What belongs to a source's site: its pages are followed, others are not (pictures may come from anywhere)."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urldefrag, urlsplit

from spiders.policy.address import is_literal


def is_same_site(url: str, start_urls: tuple[str, ...]) -> bool:
    """Tell whether an address belongs to the site of one of the beginnings.

    One site is one registrable domain (`www.uni.example` and `cs.uni.example`), or one address where the host is
    written as an IP address.
    """
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return host is not None and any(_site(host) == _site(urlsplit(start).hostname or "") for start in start_urls)


_MIRRORS = {"aliexpress.us": "aliexpress.com", "aliexpress.ru": "aliexpress.com"}
"""Sites that one shop keeps for some countries, and sends their visitors to."""


@lru_cache(maxsize=4096)
def _site(host: str) -> str:
    if is_literal(host) or "." not in host:
        return host
    site = _suffixes()(host).top_domain_under_public_suffix or host
    return _MIRRORS.get(site, site)


@lru_cache(maxsize=1)
def _suffixes():  # type: ignore[no-untyped-def]
    import tldextract

    # The list that ships with the package: nothing is looked up on the net.
    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def bare(url: str) -> str:
    """Give an address without its fragment: how a page is told from others."""
    return urldefrag(url).url
