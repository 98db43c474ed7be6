"""The private names that the tap leans on. Where one of these fails, a new Scrapy or Twisted changed what the tap hooks
into: look at ``capture/tap.py`` before the bound in ``pyproject.toml`` is raised, or nothing is recorded any more.
"""

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import scrapy
import twisted

_HTTP11 = "scrapy.core.downloader.handlers.http11"
# Where a name lives, and the parameters of what it names.
_CALLED = {
    f"{_HTTP11}:HTTP11DownloadHandler.__init__": ["self", "crawler"],
    f"{_HTTP11}:HTTP11DownloadHandler.download_request": ["self", "request"],
    f"{_HTTP11}:_LenientHTTP11ClientFactory.buildProtocol": ["self", "addr"],
    f"{_HTTP11}:_LenientHTTP11ClientProtocol.__init__": ["self", "quiescentCallback"],
    f"{_HTTP11}:_LenientHTTP11ClientProtocol.request": ["self", "request"],
    f"{_HTTP11}:_LenientHTTP11ClientProtocol.makeConnection": ["self", "transport"],
    f"{_HTTP11}:_LenientHTTP11ClientProtocol.dataReceived": ["self", "bytes"],
    "twisted.web.client:_HTTP11ClientFactory.__init__": ["self", "quiescentCallback", "metadata"],
    "twisted.web._newclient:Request.writeTo": ["self", "transport"],
    "twisted.web._newclient:HTTP11ClientProtocol._connectionLost_WAITING": ["self", "reason"],
}
# What must be said in the source of what, since no signature shows it.
_SAID = {
    f"{_HTTP11}:HTTP11DownloadHandler.__init__": "self._pool._factory = _LenientHTTP11ClientFactory",
    f"{_HTTP11}:_LenientHTTP11ClientFactory.buildProtocol": "_LenientHTTP11ClientProtocol(self._quiescentCallback)",
    f"{_HTTP11}:_ScrapyAgent.download_request": "headers = TxHeaders(request.headers)",
    f"{_HTTP11}:_ResponseReader.connectionLost": 'flags=["partial"]',
    "twisted.web.client:HTTPConnectionPool._newConnection": "self._factory(quiescentCallback",
    "twisted.web.client:_RetryingHTTP11ClientProtocol.request": "connection.request(request)",
    "twisted.web._newclient:HTTP11ClientProtocol.request": "request.writeTo(self.transport)",
}


def _named(name: str) -> Callable[..., Any]:
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part, None)
        assert found is not None, f"{name}: {part!r} is gone; {_WHAT_TO_DO}"
    return found  # type: ignore[no-any-return]


_WHAT_TO_DO = f"Scrapy {scrapy.__version__} or Twisted {twisted.__version__} changed: see capture/tap.py"


@pytest.mark.parametrize("name", _CALLED)
def test_what_the_tap_calls_and_overrides_is_called_as_before(name: str) -> None:
    found = list(inspect.signature(_named(name)).parameters)
    assert found == _CALLED[name], f"{name} takes {found} now; {_WHAT_TO_DO}"


@pytest.mark.parametrize("name", _SAID)
def test_what_the_tap_counts_on_is_still_done(name: str) -> None:
    assert _SAID[name] in inspect.getsource(_named(name)), f"{name} no longer says {_SAID[name]!r}; {_WHAT_TO_DO}"


def test_the_handler_is_awaited() -> None:
    name = f"{_HTTP11}:HTTP11DownloadHandler.download_request"
    assert inspect.iscoroutinefunction(_named(name)), f"{name} is no coroutine any more; {_WHAT_TO_DO}"
