"""The newsroom, of which no more than some stories are had until a test says so: what happens then is in mid crawl."""

from threading import Condition
from urllib.parse import urlsplit

from tests.sites.newsroom import Newsroom, Response

_SECONDS = 240.0


class HeldNewsroom(Newsroom):
    """Answers so many requests for stories; who asks for another waits until :meth:`go_on`."""

    def __init__(self, stories: int) -> None:
        super().__init__()
        self._left = stories
        self._waiting = 0
        self._changed = Condition()

    def respond(self, target: str, base: str) -> Response:
        """See :meth:`Newsroom.respond`."""
        if urlsplit(target).path in {truth.path for truth in self.truth()}:
            self._wait_for_leave()
        return super().respond(target, base)

    def wait_until_it_holds(self) -> None:
        """Until somebody waits: all that were to be answered are."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._waiting, _SECONDS), "nobody asks for so many stories"

    def go_on(self) -> None:
        """Answer who waits, and whoever comes."""
        with self._changed:
            self._left = 1_000_000
            self._changed.notify_all()

    def _wait_for_leave(self) -> None:
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._left, _SECONDS)
            self._waiting -= 1
            self._left -= 1
