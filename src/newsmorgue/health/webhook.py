"""A change of health, posted as JSON to the address that the operator configured.

That address may be any host and port, also one of this network: nothing that a site says leads here. For the same
reason a redirect is not followed: it would lead where somebody else says.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from newsmorgue import __version__
from newsmorgue.errors import WebhookFailed
from newsmorgue.health.report import health_json, json_line
from newsmorgue.health.state import Change
from newsmorgue.health.verdict import Condition
from newsmorgue.times import iso
from newsmorgue.urls import host_and_port

SECONDS = 10.0


def poster(url: str, seconds: float = SECONDS) -> Callable[[Change], None]:
    """What posts a change to ``url``, within so many seconds. Raises :class:`WebhookFailed`."""

    def post(change: Change) -> None:
        host, port = host_and_port(url)
        where = f"webhook at {host}:{port}"  # the path is often a secret
        try:
            status = _post(url, json_line(change_json(change)).encode(), seconds)
        except (OSError, HTTPException) as error:
            raise WebhookFailed(f"{where}: {error or type(error).__name__}; to be told again") from error
        if not 200 <= status < 300:
            raise WebhookFailed(f"{where}: answers {status}, where 2xx says that it was taken; to be told again")

    return post


def change_json(change: Change) -> dict[str, object]:
    """What is posted: the event, its id, and the verdict as ``status --json`` has it."""
    event = "ill" if change.health.condition == Condition.ILL else "recovered"
    return {"event": event, "id": change.id, "since": iso(change.since), **health_json(change.health)}


def _post(url: str, body: bytes, seconds: float) -> int:
    parts = urlsplit(url)
    host, port = host_and_port(url)
    is_tls = parts.scheme == "https"
    connection = (
        HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
        if is_tls
        else HTTPConnection(host, port, timeout=seconds)
    )
    headers = {"Content-Type": "application/json", "User-Agent": f"newsmorgue/{__version__}"}
    with closing(connection), _deadline(connection, seconds):
        connection.request("POST", parts._replace(scheme="", netloc="", fragment="").geturl(), body, headers)
        return connection.getresponse().status


@contextmanager
def _deadline(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Hang up when the time is over: a socket's own time-out begins anew with each byte."""
    is_over = threading.Event()

    def hang_up() -> None:
        is_over.set()
        with suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException) as error:
        if is_over.is_set() or isinstance(error, TimeoutError):
            raise TimeoutError(f"no answer within {seconds:.0f} s") from error
        raise
    finally:
        timer.cancel()
