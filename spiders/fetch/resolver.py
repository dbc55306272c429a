"""The address rule at connection time: names resolve to addresses that may be connected to, or not at all.

Twisted connects to what its resolver gives and to nothing else, literal addresses included, so neither DNS (rebinding
too) nor a redirect gets round this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scrapy.crawler import Crawler
from scrapy.resolver import CachingThreadedResolver
from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from spiders.policy.address import may_connect

ALLOW_LOOPBACK = "GLEANERY_ALLOW_LOOPBACK"
"""Setting: nothing but loopback may be contacted (else nothing but public addresses)."""


class GuardedResolver(CachingThreadedResolver):
    """Scrapy's resolver behind the address rule."""

    allow_loopback = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> GuardedResolver:
        """Read the rule from the settings."""
        resolver = super().from_crawler(crawler, reactor)
        resolver.allow_loopback = crawler.settings.getbool(ALLOW_LOOPBACK)
        return resolver

    def install_on_reactor(self) -> None:
        """Stand between the reactor and its resolver."""
        super().install_on_reactor()
        reactor: Any = self.reactor
        reactor.installNameResolver(GuardedNames(reactor.nameResolver, self.allow_loopback))


@implementer(IHostnameResolver)
class GuardedNames:
    """Passes on the addresses that may be connected to, and remembers the hosts of the others."""

    def __init__(self, inner: Any, allow_loopback: bool) -> None:
        self._inner = inner
        self._allow_loopback = allow_loopback
        self.refused: set[str] = set()
        """Hosts with an address that was held back."""

    def resolveHostName(  # noqa: N802
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Sequence[type[IAddress]] | None = None,  # noqa: N803
        transportSemantics: str = "TCP",  # noqa: N803
    ) -> IHostResolution:
        """Resolve as Twisted asks for it."""
        receiver = _Filter(resolutionReceiver, self, hostName)
        result: IHostResolution = self._inner.resolveHostName(
            receiver, hostName, portNumber, addressTypes, transportSemantics
        )
        return result

    def may_pass(self, host: str, address: Any) -> bool:
        """Judge one resolved address."""
        is_good = may_connect(str(getattr(address, "host", "")), self._allow_loopback)
        if not is_good:
            self.refused.add(host)
        return is_good


@implementer(IResolutionReceiver)
class _Filter:
    def __init__(self, inner: Any, names: GuardedNames, host: str) -> None:
        self._inner = inner
        self._names = names
        self._host = host

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        self._inner.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if self._names.may_pass(self._host, address):
            self._inner.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._inner.resolutionComplete()
