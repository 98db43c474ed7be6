"""Small files that say how a host is to be treated are known for a day, and then sent again only if they changed."""

from datetime import datetime

from scrapy import Request
from scrapy.http import Response

from newsmorgue.archive.hosts import KnownRobots
from newsmorgue.capture.extension import RECORDED
from newsmorgue.capture.recorder import Recorded


def with_conditions(request: Request, known: KnownRobots) -> Request:
    """Have a file sent only if it is another one than the copy, if that came from this address."""
    if request.url == known.located:
        fields = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        request.headers.update({name: value for name, value in fields.items() if value})
    return request


def has_conditions(request: Request) -> bool:
    """Whether 304 is an answer to a request."""
    return "If-None-Match" in request.headers or "If-Modified-Since" in request.headers


def copy_of(response: Response, request: Request, body: bytes | None, now: datetime) -> KnownRobots:
    """A file as it came, to be known for a day; with its validators if the archive has all of it, so that a 304 has
    something to refer to."""
    recorded: Recorded | None = (response.request or request).meta.get(RECORDED)
    kept = recorded.capture if recorded is not None else None
    if recorded is None or kept is None or response.status != 200 or body is None or kept.truncated:
        return KnownRobots(body, now)
    head = recorded.exchange.head
    return KnownRobots(body, now, None, request.url, head.get("etag"), head.get("last-modified"))
