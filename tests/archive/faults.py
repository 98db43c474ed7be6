"""Lines to an S3 store that something is wrong with."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers import Seaweed, free_ports, proxy

Line = Callable[[Seaweed], AbstractContextManager[str]]
# Enough for a request's head and a part of its body.
_RESET_AFTER = 2_000


@contextmanager
def refused(server: Seaweed) -> Iterator[str]:
    """Nobody listens."""
    yield f"http://127.0.0.1:{free_ports(1)[0]}"


@contextmanager
def silent(server: Seaweed) -> Iterator[str]:
    """Whatever is sent is swallowed, and nothing ever comes back."""
    with proxy(server.endpoint, on_request=lambda data: b"", on_reply=lambda data: data) as endpoint:
        yield endpoint


@contextmanager
def reset(server: Seaweed) -> Iterator[str]:
    """A connection breaks off when some bytes have passed; those that did have reached the store."""
    passed = 0

    def cut(data: bytes) -> bytes | None:
        nonlocal passed
        passed += len(data)
        if passed > _RESET_AFTER:
            passed = 0
            return None
        return data

    with proxy(server.endpoint, on_request=cut, on_reply=lambda data: data) as endpoint:
        yield endpoint


@contextmanager
def reply_lost(server: Seaweed) -> Iterator[str]:
    """The store does what it is told, and no answer of it arrives."""
    with proxy(server.endpoint, on_request=lambda data: data, on_reply=_only_go_on) as endpoint:
        yield endpoint


def _only_go_on(data: bytes) -> bytes | None:
    return data if is_go_on(data) else None


def is_go_on(data: bytes) -> bool:
    """Whether a piece of what a server says is an invitation to go on, and not the answer too."""
    return data.startswith(b"HTTP/1.1 100") and data.endswith(b"\r\n\r\n") and data.count(b"HTTP/1.1 ") == 1


@contextmanager
def overloaded(server: Seaweed) -> Iterator[str]:
    """Every answer is 503."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Overloaded) as busy:
        busy.daemon_threads = True
        threading.Thread(target=busy.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{busy.server_port}"
        finally:
            busy.shutdown()


class _Overloaded(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_expect_100(self) -> bool:
        self._refuse()
        return False

    def _refuse(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 503 Slow Down\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.connection.shutdown(socket.SHUT_WR)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _refuse

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@contextmanager
def mendable(server: Seaweed, line: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """A line with a fault, and what mends it: from then on the same address leads to the store."""
    leads_to: list[str] = []
    (port,) = free_ports(1)
    with LINES[line](server) as faulty, ExitStack() as front:

        def begin() -> None:
            through = proxy(lambda: leads_to[-1], on_request=_as_it_is, on_reply=_as_it_is, port=port)
            front.enter_context(through)

        def mend() -> None:
            leads_to.append(server.endpoint)
            if line == "refused":
                begin()

        leads_to.append(faulty)
        if line != "refused":  # there, nobody listens yet
            begin()
        yield f"http://127.0.0.1:{port}", mend


def _as_it_is(data: bytes) -> bytes:
    return data


LINES: dict[str, Line] = {
    "refused": refused,
    "silent": silent,
    "503": overloaded,
    "reset": reset,
    "reply lost": reply_lost,
}
