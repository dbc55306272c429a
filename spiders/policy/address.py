"""Which addresses may be contacted: public ones over http(s), or loopback alone where a source says so.

The rule is asked at every connection (`spiders.fetch.resolver`, the browser's filter, `spiders.probe`), with the
address that is then connected to, so that neither a name nor a redirect gets round it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from catalog.errors import PolicyRefused

REASON = "policy_address"

_NAT64 = IPv6Network("64:ff9b::/96")


def may_connect(address: str, allow_loopback: bool) -> bool:
    """Tell whether an IP address may be connected to.

    Args:
        address: literal IPv4 or IPv6 address; anything else may not.
        allow_loopback: the source lives on this machine; then only loopback may be contacted, nothing else.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = _embedded_ipv4(ip)
    if allow_loopback:
        return ip.is_loopback
    return ip.is_global and not ip.is_multicast


def _embedded_ipv4(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Unwrap an IPv4 address that an IPv6 one carries (mapped, 6to4, NAT64): that is where packets end up."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def check_url(url: str, allow_loopback: bool) -> None:
    """Refuse an address that cannot be right before anything is resolved.

    Raises:
        PolicyRefused: no http(s), no host, or a literal address that may not be connected to.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise PolicyRefused(REASON, f"{url}: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise PolicyRefused(REASON, f"{url}: expected an http or https address with a host")
    if is_literal(host) and not may_connect(host, allow_loopback):
        raise PolicyRefused(REASON, f"{url}: {_rule(allow_loopback)}")


def is_literal(host: str) -> bool:
    """Tell whether a host is written as an IP address."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_loopback_host(host: str | None) -> bool:
    """Tell whether a host is this machine by its very spelling."""
    if host is None:
        return False
    return host.lower() == "localhost" or (is_literal(host) and may_connect(host, allow_loopback=True))


def refused(host: str, allow_loopback: bool) -> PolicyRefused:
    """The error for a host none of whose addresses may be connected to."""
    return PolicyRefused(REASON, f"{host}: {_rule(allow_loopback)}")


def _rule(allow_loopback: bool) -> str:
    return "this source may only contact loopback" if allow_loopback else "only public addresses may be contacted"
