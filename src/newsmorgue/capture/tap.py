"""The wire tap: a download handler that hands on every exchange as its bytes crossed the wire.

No signal or middleware of Scrapy sees the wire: header case, order, folding, reason phrases, transfer-codings and
truncated bodies are gone by then. So the tap sits in the connection: it notes what a request writes, and what
``dataReceived`` is given. A request finds its tape by a private header that is taken off before anything is sent.
Leans on private names of Scrapy's and Twisted's HTTP/1.1 client, which ``tests/capture/test_tap_names.py`` lists;
the Scrapy version is bounded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urldefrag, urlsplit

from OpenSSL import SSL
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from twisted.internet.error import ConnectionClosed, ConnectionDone
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from newsmorgue.archive.exchange import Exchange, HttpHead, split_head
from newsmorgue.capture.extension import CUT, CaptureExtension
from newsmorgue.capture.tls import Tls, describe
from newsmorgue.times import now_utc

_TOKEN = b"X-Newsmorgue-Tape"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass
class Tape:
    """What one exchange sent and received so far, and over what."""

    url: str
    clock: Callable[[], datetime] = now_utc
    started: datetime | None = None
    sent: list[bytes] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    ip: str | None = None
    tls: Tls | None = None
    # Whether the connection ended in another way than by its orderly close.
    broke: bool = False

    def start(self) -> None:
        """Begin, or begin anew where a kept connection turned out dead before anything came."""
        self.started = self.clock()
        self.sent.clear()
        self.received.clear()
        self.broke = False

    def take(self, truncated: str | None) -> Exchange | None:
        """The exchange, and nothing is left on the tape. None where no final answer began to come."""
        received, self.received = b"".join(self.received), []
        interim, (head, body) = [], split_head(received)
        while 100 <= HttpHead(head).status < 200:
            interim.append(head)
            head, body = split_head(body)
        final = HttpHead(head)
        if self.started is None or not final.status:
            return None
        tls = self.tls
        return Exchange(
            self.url,
            self.started,
            b"".join(self.sent),
            final,
            body,
            self.ip,
            truncated,
            tls.version if tls else None,
            tuple(interim),
            tls.cipher if tls else None,
            tls.certificate if tls else None,
            (self.clock() - self.started) // _MILLISECOND,
        )


_waiting: dict[bytes, Tape] = {}
_tokens = count()


class _Tee:
    """A transport that notes on a tape what is written to it."""

    def __init__(self, transport: Any, tape: Tape) -> None:
        self._transport = transport
        self._tape = tape

    def write(self, data: bytes) -> None:
        self._tape.sent.append(data)
        self._transport.write(data)

    def writeSequence(self, parts: list[bytes]) -> None:
        self.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _TapProtocol(_LenientHTTP11ClientProtocol):
    """A connection that notes what goes out and comes in on it, exchange by exchange."""

    _tape: Tape | None = None
    _tls: Tls | None = None

    def request(self, request: Any) -> Any:
        tokens = request.headers.getRawHeaders(_TOKEN)
        if tokens:
            request.headers.removeHeader(_TOKEN)
            tape, write = _waiting.pop(tokens[0]), request.writeTo
            request.newsmorgue_tape = tape
            request.writeTo = lambda transport: write(_Tee(transport, tape))
        # A request is sent a second time, without its token, where the kept connection had died.
        self._tape = request.newsmorgue_tape
        self._tape.start()
        return super().request(request)

    def dataReceived(self, data: bytes) -> None:
        tape = self._tape
        if tape is not None:
            if not tape.received:
                self._note_peer(tape)
            tape.received.append(data)
        super().dataReceived(data)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._tape is not None:
            self._tape.broke = not isinstance(reason.value, ConnectionDone)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def _note_peer(self, tape: Tape) -> None:
        """Only once something came is the handshake surely done."""
        transport: Any = self.transport
        tape.ip = getattr(transport.getPeer(), "host", None)
        if self._tls is None and hasattr(transport, "getPeerCertificate"):
            self._tls = describe(transport.getHandle(), urlsplit(tape.url).hostname or "")
        tape.tls = self._tls


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
        token, tape = b"%d" % next(_tokens), Tape(urldefrag(request.url)[0])
        _waiting[token] = tape
        request.headers[_TOKEN] = token
        truncated: str | None = "unspecified"
        try:
            response = await super().download_request(request)
            truncated = _cut_short(response.flags, tape, request.meta.get(CUT))
            return response
        except (DownloadTimeoutError, DownloadCancelledError, DownloadFailedError, ResponseDataLossError) as error:
            truncated = _cut_by(error)
            raise
        finally:
            _waiting.pop(token, None)
            request.headers.pop(_TOKEN, None)
            if request.meta.get("proxy"):
                tape.ip = None  # the proxy's, which says nothing of the site
            exchange = tape.take(truncated)
            if exchange is not None:
                capture.record(request, exchange)


def _cut_short(flags: list[str], tape: Tape, why_stopped: str | None) -> str | None:
    """WARC's word for why an answer that Scrapy hands on is not whole, or None."""
    if "download_stopped" in flags:
        return why_stopped or "unspecified"
    # A "partial" body ended with its connection: whole, if that was closed as it should be (RFC 9112 §9.8).
    return "disconnect" if "dataloss" in flags or ("partial" in flags and tape.broke) else None


def _cut_by(error: Exception) -> str:
    """WARC's word for what ended an answer before it was whole."""
    if isinstance(error, DownloadTimeoutError):
        return "time"
    if isinstance(error, DownloadCancelledError):
        return "length"
    reasons = getattr(error.__cause__, "reasons", ())
    closed = any(isinstance(reason.value, ConnectionClosed | SSL.Error) for reason in reasons)
    return "disconnect" if closed else "unspecified"
