"""A server that takes what is posted to it, and answers as it is told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass(slots=True)
class Hook:
    """``taken`` grows with each POST; ``status`` is answered, after ``free`` is set."""

    url: str
    status: int = 200
    location: str | None = None
    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    free: Event = field(default_factory=Event)


@contextmanager
def hooked() -> Iterator[Hook]:
    """A hook on a free port of 127.0.0.1, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.free.wait(30)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.taken.append({"path": self.path, **json.loads(body)})
            hook.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(hook.status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Hook(f"http://127.0.0.1:{server.server_port}/hooks/secret?token=1")
        hook.free.set()
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hook
        finally:
            hook.free.set()
            server.shutdown()
            thread.join()
