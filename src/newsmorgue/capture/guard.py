"""The guard against server-side request forgery: what a *site* names must be public.

Two gates. :func:`forbidden_reason` looks at an address before anything is done with it;
:class:`GuardedResolver` looks at what its name resolves to, and what it lets through is what is connected to,
so that no second look-up can differ (DNS rebinding). Only the exact host and port that the operator typed or
configured pass both unseen.
"""

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Self
from urllib.parse import urlsplit

from twisted.internet.address import IPv4Address as TwistedAddress
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

from newsmorgue.errors import ForbiddenAddress
from newsmorgue.urls import host_and_port

HostAndPort = tuple[str, int]

# Not public, though some release of Python's ipaddress calls it global: see IANA's special-purpose address registries.
_NOT_PUBLIC: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",  # IETF protocol assignments; one cloud's metadata
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # one cloud's host agent, on a public address
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, …
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address inside
        "3fff::/20",  # documentation
    )
)
# RFC 4291 §2.4: all that was ever given out. IPv4 in disguise (::ffff:0:0/96, 64:ff9b::/96), site-local and multicast
# addresses are outside.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Fetch standard §2.9, "port blocking": what listens there takes an HTTP request for something else.
# fmt: off
_BAD_PORTS = frozenset((
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
    104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514,
    515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723,
    2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
))
# fmt: on
_ALL_DIGITS = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}", re.I)

_allowed: frozenset[HostAndPort] = frozenset()


def set_allowed(addresses: frozenset[HostAndPort]) -> None:
    """Say which exact (host, port) the operator typed or configured; holds for the process until said
    again.
    """
    global _allowed
    _allowed = frozenset(_normal(*address) for address in addresses)


def allow(host: str, port: int) -> None:
    """Add one to what :func:`set_allowed` said."""
    set_allowed(_allowed | {(host, port)})


def allowed() -> frozenset[HostAndPort]:
    """What is allowed now, hosts in lower case."""
    return _allowed


def _normal(host: str, port: int) -> HostAndPort:
    return host.lower().strip("[]").rstrip("."), port


def is_public(address: str) -> bool:
    """Whether an IP address (text, as ``inet_ntop`` writes it) can be a public web server's.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("64:ff9b::1")
    (True, False, False, False)
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and (parsed.scope_id or parsed not in _GLOBAL_UNICAST):
        return False
    return parsed.is_global and not any(parsed in block for block in _NOT_PUBLIC)


def forbidden_reason(url: str, allowed: frozenset[HostAndPort]) -> str | None:
    """Why a URL may not be requested, as far as it can be told without asking the DNS; None where it may.

    ``allowed`` are the exact (host, port) the operator typed.
    """
    try:
        host, port = _normal(*host_and_port(url))
        # As the connection will spell it: IDNA turns full-width digits and dots into plain ones.
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError as error:
        return f"{url}: no web address: {error}"
    if urlsplit(url).scheme not in ("http", "https"):
        return f"{url}: only http and https are fetched"
    if not host:
        return f"{url}: no host in it"
    if (host, port) in allowed:
        return None
    return _reason_against(host, port)


def _reason_against(host: str, port: int) -> str | None:
    if port in _BAD_PORTS:
        return f"{host}:{port}: no web server listens on port {port}"
    if host == "localhost" or host.endswith(".localhost"):
        return _reason(host, port, "this machine")
    literal = _literal(host)
    return None if literal is None or is_public(literal) else _reason(host, port, literal)


def _reason(host: str, port: int, address: str) -> str:
    what = "is" if host == address else f"is {address},"
    return f"{host}:{port}: {what} not public; only what the operator typed may lead there"


def _literal(host: str) -> str | None:
    """The IP address that a host is by itself, also in the spellings of inet_aton(3): one number,
    hexadecimal, octal.
    """
    if ":" in host:
        return host
    if not _ALL_DIGITS.fullmatch(host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


class _Nowhere(TwistedAddress):
    """What a refused name resolves to. Twisted's endpoint takes no error from a resolver, only addresses: so
    here is one that raises as soon as it is used, which ends the request with the reason instead of "not
    found".
    """

    def __init__(self, reason: str) -> None:
        super().__init__("TCP", "", 0)
        self._reason = reason

    def __getattribute__(self, name: str) -> Any:
        if name in ("host", "port"):
            raise ForbiddenAddress(object.__getattribute__(self, "_reason"))
        return object.__getattribute__(self, name)


@implementer(IResolutionReceiver)
class _PublicOnly:
    """Hands on the addresses that are public; when there were others only, one that raises."""

    def __init__(self, receiver: Any, host: str, port: int, says_why: bool) -> None:
        self._receiver = receiver
        self._host, self._port, self._says_why = host, port, says_why
        self._passed = False
        self._refused: str | None = None

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: IAddress) -> None:
        found = str(getattr(address, "host", ""))
        if is_public(found):
            self._passed = True
            self._receiver.addressResolved(address)
        else:
            self._refused = found

    def resolutionComplete(self) -> None:
        if self._refused and not self._passed and self._says_why:
            self._receiver.addressResolved(_Nowhere(_reason(self._host, self._port, self._refused)))
        self._receiver.resolutionComplete()


@implementer(IHostnameResolver)
class GuardedResolver:
    """For Scrapy's ``TWISTED_DNS_RESOLVER``: resolves IPv4 and IPv6, and lets only public addresses through.

    Twisted's endpoint asks it for literal addresses too. A request to what it refuses fails with
    ForbiddenAddress. It keeps no cache: a process that crawls for months must notice that a site moved, and
    kept connections save the look-ups.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        inner = reactor.nameResolver
        self._inner: Any = inner._inner if isinstance(inner, GuardedResolver) else inner

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> Self:
        """Scrapy's way to make a resolver; ``crawler`` has nothing it needs."""
        return cls(reactor)

    def install_on_reactor(self) -> None:
        """From now on all names of this process are resolved here."""
        self._reactor.installNameResolver(self)

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """As IHostnameResolver has it."""
        if _normal(hostName, portNumber) not in _allowed:
            says_why = addressTypes is None
            resolutionReceiver = _PublicOnly(resolutionReceiver, hostName, portNumber, says_why)
        resolution: IHostResolution = self._inner.resolveHostName(
            resolutionReceiver, hostName, portNumber, addressTypes, transportSemantics
        )
        return resolution
