"""A site whose every answer a test writes down, with all that can be wrong with one; and stories to put on it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

from tests.processes import wait_until

_WORDS = """
the harbour council voted on a new bridge after years of debate while ferries carried commuters across
grey water and engineers measured every cable twice before winter storms returned to close schools markets theatres
and roads along river banks where families had lived since their grandparents built wooden houses by hand
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. ``kill``: the connection is closed instead, ``cut``: in the middle of the body; ``pause``: seconds
    before the answer, ``trickle``: seconds over which its body comes, ``until``: what must be so before it is given.
    One with an ``ETag`` can be 304."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    kill: bool = False
    cut: bool = False
    pause: float = 0.0
    trickle: float = 0.0
    until: Callable[[], bool] = lambda: True


@dataclass(slots=True)
class ScriptedSite:
    """The answers by path and query, which a test may change; what was asked for and when (``time.monotonic``), and
    what was answered.

    A list of answers is gone through, the last one stays. What is not written down is 404.
    """

    answers: dict[str, Answer | list[Answer]]
    url: str = ""
    visits: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer_to(self, path: str) -> Answer:
        """The next answer for a path."""
        known = self.answers.get(path, Answer(404))
        if isinstance(known, list):
            return known.pop(0) if len(known) > 1 else known[0]
        return known


class _Handler(BaseHTTPRequestHandler):
    site: ScriptedSite
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.site.visits.append(self.path)
        self.site.times.append(time.monotonic())
        self.site.headers.append({name.lower(): value for name, value in self.headers.items()})
        answer = self.site.answer_to(self.path)
        time.sleep(answer.pause)
        wait_until(answer.until)
        if answer.kill:
            self.close_connection = True
            return
        if answer.headers.get("ETag", "-") == self.headers.get("If-None-Match"):
            answer = replace(answer, status=304, body=b"")
        self.send_response(answer.status)
        given = {"Content-Type": "text/html; charset=utf-8", **answer.headers, "Content-Length": str(len(answer.body))}
        for name, value in given.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.cut:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        else:
            self._send(answer)
            self.site.answered.append(self.path)

    def _send(self, answer: Answer) -> None:
        pieces = 10 if answer.trickle else 1
        size = len(answer.body) // pieces + 1
        for start in range(0, len(answer.body), size):
            self.wfile.write(answer.body[start : start + size])
            time.sleep(answer.trickle / pieces)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no fault of the site's."""


@contextmanager
def scripted(
    answers: dict[str, Answer | list[Answer]], host: str = "127.0.0.1", port: int = 0
) -> Iterator[ScriptedSite]:
    """Serve a scripted site as long as the block lasts."""
    site = ScriptedSite(answers)
    server = _Server((host, port), type("Handler", (_Handler,), {"site": site}))
    site.url = f"http://{host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def story(name: str, *, head: str = "", more: str = "") -> Answer:
    """A page with a story that no other name has."""
    random = Random(name)
    sentences = [" ".join(random.choices(_WORDS.split(), k=18)).capitalize() + "." for _ in range(15)]
    text = "".join(f"<p>{' '.join(sentences[start : start + 3])}</p>" for start in range(0, 15, 3))
    page = f"""<!DOCTYPE html><html lang="en"><head><title>{name}</title><meta property="og:type" content="article">
    {head}</head><body><article><h1>{name}</h1>{text}{more}</article></body></html>"""
    return Answer(200, page.encode())


def page_of(*links: str, more: str = "") -> Answer:
    """A page with links: ``text|address``."""
    pairs = (one.partition("|") for one in links)
    items = "".join(f'<li><a href="{address}">{text}</a></li>' for text, _, address in pairs)
    return Answer(200, f"<!DOCTYPE html><html><head></head><body><ul>{items}</ul>{more}</body></html>".encode())


def feed_of(*addresses: str) -> Answer:
    """An RSS feed that names these addresses."""
    items = "".join(f"<item><link>{address.replace('&', '&amp;')}</link></item>" for address in addresses)
    feed = f"<rss version='2.0'><channel>{items}</channel></rss>"
    return Answer(200, feed.encode(), {"Content-Type": "application/rss+xml"})
