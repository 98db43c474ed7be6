"""The wire tap: a download handler that hands on every exchange as its bytes crossed the wire.

No signal or middleware of Scrapy sees the wire: header case, order, folding, reason phrases, transfer-codings and
truncated bodies are gone by then. So the tap sits in the connection: it wraps the transport once (what is sent) and
the protocol's ``dataReceived`` (what comes). A request finds its tape by a private header that is taken off before
anything is sent. Leans on private names of Scrapy's and Twisted's HTTP/1.1 client; the Scrapy version is bounded.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urldefrag

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError
from scrapy.http import Response

from newsmorgue.archive.exchange import Exchange, HttpHead, split_head
from newsmorgue.capture.extension import CaptureExtension
from newsmorgue.times import now_utc

_TOKEN = b"X-Newsmorgue-Tape"


@dataclass
class Tape:
    """What one exchange sent and received so far, and over what."""

    clock: Callable[[], datetime] = now_utc
    started: datetime | None = None
    sent: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    ip: str | None = None
    tls: str | None = None

    def start(self, transport: Any) -> None:
        """Begin, or begin anew where a kept connection turned out dead before anything came."""
        self.started = self.clock()
        self.sent.clear()
        self.received.clear()
        self.ip = getattr(transport.getPeer(), "host", None)
        if hasattr(transport, "getPeerCertificate"):
            self.tls = transport.getHandle().get_protocol_version_name().lower().replace("tlsv", "tls/")

    def exchange(self, url: str, truncated: str | None) -> Exchange | None:
        """The exchange, or None where no status line came."""
        interim, rest = [], bytes(self.received)
        head, body = split_head(rest)
        while 100 <= HttpHead(head).status < 200 and body:
            interim.append(head)
            head, body = split_head(body)
        if self.started is None or not HttpHead(head).status:
            return None
        return Exchange(
            url, self.started, bytes(self.sent), HttpHead(head), body, self.ip, truncated, self.tls, tuple(interim)
        )


_waiting: dict[bytes, Tape] = {}


class _TapTransport:
    """A transport that notes what is written to it."""

    def __init__(self, transport: Any, protocol: "_TapProtocol") -> None:
        self._transport = transport
        self._protocol = protocol

    def write(self, data: bytes) -> None:
        self._protocol.tape.sent += data
        self._transport.write(data)

    def writeSequence(self, parts: list[bytes]) -> None:
        self.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _TapProtocol(_LenientHTTP11ClientProtocol):
    """A connection that notes what comes in on it, exchange by exchange."""

    tape = Tape()  # of an exchange nobody asked for; replaced by each request

    def makeConnection(self, transport: Any) -> None:
        super().makeConnection(_TapTransport(transport, self))  # type: ignore[no-untyped-call]

    def request(self, request: Any) -> Any:
        tokens = request.headers.getRawHeaders(_TOKEN)
        if tokens:
            request.headers.removeHeader(_TOKEN)
            request.newsmorgue_tape = _waiting.pop(tokens[0])
        # A request is sent a second time, without its token, where the kept connection had died.
        self.tape = request.newsmorgue_tape
        self.tape.start(self.transport)
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        self.tape.received += data
        super().dataReceived(data)  # type: ignore[no-untyped-call]


class _TapFactory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> _TapProtocol:
        return _TapProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class TapDownloadHandler(HTTP11DownloadHandler):
    """Downloads like Scrapy's own handler for http and https, and records each exchange before handing it on."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = _TapFactory
        self._capture: CaptureExtension | None = None

    async def download_request(self, request: Request) -> Response:
        """Fetch; whatever came is recorded, also when the fetch ends in an error."""
        capture = self._capture = self._capture or CaptureExtension.of(self._crawler)
        capture.refuse_forbidden(request)
        token, tape = secrets.token_hex(8).encode(), Tape()
        _waiting[token] = tape
        request.headers[_TOKEN] = token
        truncated: str | None = "disconnect"
        try:
            response = await super().download_request(request)
            # "partial" is a body that ended with its connection: whole, as far as anyone can tell (RFC 9112 §6.3).
            truncated = "disconnect" if "dataloss" in response.flags else None
            return response
        except DownloadTimeoutError:
            truncated = "time"
            raise
        except DownloadCancelledError:
            truncated = "length"
            raise
        finally:
            _waiting.pop(token, None)
            request.headers.pop(_TOKEN, None)
            exchange = tape.exchange(urldefrag(request.url)[0], truncated)
            if exchange is not None:
                capture.record(request, exchange)
