"""The demo newsroom over HTTP/1.1 on 127.0.0.1.

In a test: ``with serve(Newsroom()) as site: ... site.url ... site.log``.
By hand: ``python -m tests.sites.server
--port 8080``; the next edition goes out with ``curl -X POST http://127.0.0.1:8080/-/advance``.
"""

import argparse
import gzip
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer
from threading import Event, Thread

from tests.sites.newsroom import Newsroom, Response

ADVANCE = "/-/advance"
_TEXT = "text/plain; charset=UTF-8"
_COMPRESSED = ("text/", "application/rss", "application/atom", "application/xml", "image/svg")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that the site answered: ``path`` with its query, the request's headers by lower-case name."""

    method: str
    path: str
    status: int
    headers: dict[str, str]


@dataclass(slots=True)
class Site:
    """A newsroom that is being served; ``url`` has no last slash, ``log`` grows with each answer."""

    url: str
    newsroom: Newsroom
    log: list[Exchange] = field(default_factory=list)

    def requests(self, path: str) -> list[Exchange]:
        """The answers given so far for a path, whatever the query."""
        return [one for one in self.log if one.path.partition("?")[0] == path]


@contextmanager
def serve(newsroom: Newsroom, port: int = 0) -> Iterator[Site]:
    """Serve a newsroom on 127.0.0.1, on a free port unless one is given, until the block ends."""
    with _Server(("127.0.0.1", port), _Handler) as server:
        server.site = Site(f"http://127.0.0.1:{server.server_port}", newsroom)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.site
        finally:
            server.shutdown()
            server.hang_up()
            thread.join()


class _Server(ThreadingHTTPServer):
    # Threads are waited for, so that no socket outlives the block; hang_up() ends the idle connections.
    daemon_threads = False
    request_queue_size = 128
    site: Site

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.connections: set[socket.socket] = set()
        self.closing = False
        super().__init__(address, handler)

    def hang_up(self) -> None:
        self.closing = True
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no fault of the site's; anything else is shown as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        server = _served_by(self.server)
        server.connections.add(self.connection)
        # A connection accepted just before hang_up() is not among those that it ended.
        if server.closing:
            self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        _served_by(self.server).connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        site = _served_by(self.server).site
        self._answer(site.newsroom.respond(self.path, site.url))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != ADVANCE:
            return self._answer(Response(405, _TEXT, b"read only\n", (("Allow", "GET, HEAD"),)))
        newsroom = _served_by(self.server).site.newsroom
        if newsroom.edition == Newsroom.LAST:
            return self._send(409, [("Content-Type", _TEXT)], b"this is the last edition\n")
        return self._send(200, [("Content-Type", _TEXT)], f"edition {newsroom.advance()}\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr: the site's own log says it."""

    def _answer(self, response: Response) -> None:
        status, body = response.status, response.body
        if self._not_modified(response):
            status, body = 304, b""
        headers = [("Content-Type", response.content_type), *response.headers, *_validators(response)]
        if body and response.content_type.startswith(_COMPRESSED):
            headers.append(("Vary", "Accept-Encoding"))
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                body = gzip.compress(body, 6, mtime=0)
                headers.append(("Content-Encoding", "gzip"))
        lowered = {name.lower(): value for name, value in self.headers.items()}
        _served_by(self.server).site.log.append(Exchange(self.command, self.path, status, lowered))
        self._send(status, headers, body)

    def _not_modified(self, response: Response) -> bool:
        """RFC 9110 §13.2.2: If-Modified-Since counts only where there is no If-None-Match."""
        if response.modified is None or response.status != 200:
            return False
        asked = self.headers.get("If-None-Match")
        if asked is not None:
            return response.etag in [tag.strip().removeprefix("W/") for tag in asked.split(",")]
        since = _http_date(self.headers.get("If-Modified-Since"))
        return since is not None and response.modified.replace(microsecond=0) <= since

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Head and body in one write: two would wait for each other on a slow acknowledgement."""
        length = [] if status == 304 else [("Content-Length", str(len(body)))]
        lines = [("Server", "Fanal/1.0"), ("Date", self.date_time_string()), *headers, *length]
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines)
        self.wfile.write(head.encode("latin-1") + b"\r\n" + (b"" if self.command == "HEAD" else body))


def _served_by(server: BaseServer) -> _Server:
    assert isinstance(server, _Server)
    return server


def _validators(response: Response) -> list[tuple[str, str]]:
    if response.modified is None or response.etag is None:
        return []
    date = format_datetime(response.modified.astimezone(UTC), usegmt=True)
    return [("ETag", response.etag), ("Last-Modified", date)]


def _http_date(text: str | None) -> datetime | None:
    with suppress(ValueError, TypeError):
        return parsedate_to_datetime(text) if text else None
    return None


def main() -> None:
    """Serve the newsroom until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.sites.server", description="Serve the demo newsroom.")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--edition", type=int, default=0, choices=range(Newsroom.LAST + 1))
    parser.add_argument("--today", action="store_true", help="date the news as if it were made now")
    options = parser.parse_args()
    newsroom = Newsroom(options.edition, clock=(lambda: datetime.now(UTC)) if options.today else None)
    with serve(newsroom, options.port) as site, suppress(KeyboardInterrupt):
        sys.stdout.write(
            f"{site.url}/ shows edition {newsroom.edition}; POST {ADVANCE} brings the next; Ctrl-C stops\n"
        )
        sys.stdout.flush()
        Event().wait()


if __name__ == "__main__":
    main()
