"""Nothing a site names leads to where only this network can go. The addresses are those of IANA's special-purpose
registries, and the spellings those of known attacks."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.processes import SECONDS
from twisted.internet.address import IPv4Address

from newsmorgue.capture import guard
from newsmorgue.errors import ForbiddenAddress

TYPED = frozenset({("127.0.0.1", 8000), ("intranet.example", 443)})


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "1.1.1.1",
        "192.0.1.1",
        "100.63.255.255",
        "168.63.129.17",
        "223.255.255.255",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "2001:4860:4860::8888",
    ],
)
def test_public_addresses(address: str) -> None:
    assert guard.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "168.63.129.16",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:93.184.215.14",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::5db8:d70e",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:2800:21f::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
        "4000::1",
        "2130706433",
        "localhost",
        "",
    ],
)
def test_addresses_that_are_not(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "http://example.org:8080/",
        "http://93.184.215.14/",
        "http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/",
        "http://127.0.0.1:8000/x",
        "https://intranet.example/",
        "https://INTRANET.example.:443/",
        "https://1234.example/",
        "https://localhost.example/",
    ],
)
def test_what_may_be_asked_for(url: str) -> None:
    assert guard.forbidden_reason(url, TYPED) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1/", "not public"),
        ("http://127.0.0.1:8001/", "not public"),
        ("http://127.0.0.2:8000/", "not public"),
        ("http://127.1:8000/", "is 127.0.0.1, not public"),
        ("http://2130706433:8000/", "is 127.0.0.1, not public"),
        ("http://0x7f000001/", "is 127.0.0.1, not public"),
        ("http://0x7f.0.0.1/", "is 127.0.0.1, not public"),
        ("http://0177.0.0.1/", "is 127.0.0.1, not public"),
        ("http://017700000001/", "is 127.0.0.1, not public"),
        ("http://127.0.0.1./", "not public"),
        ("http://127。0。0。1/", "not public"),
        ("http://１２７.0.0.1/", "not public"),
        ("http://0/", "is 0.0.0.0, not public"),
        ("http://169.254.169.254/latest/meta-data/", "not public"),
        ("http://[::1]:8000/", "not public"),
        ("http://[::ffff:127.0.0.1]:8000/", "not public"),
        ("http://[::ffff:7f00:1]/", "not public"),
        ("http://localhost:8000/", "this machine, not public"),
        ("http://a.LOCALHOST/", "this machine, not public"),
        ("https://example.org:22/", "port 22"),
        ("https://example.org:6667/", "port 6667"),
        ("file:///etc/passwd", "only http and https"),
        ("ftp://example.org/", "only http and https"),
        ("gopher://127.0.0.1:8000/", "only http and https"),
        ("http:///etc/passwd", "no host"),
        ("http://example.org:99999/", "no web address"),
        ("http://[::1/", "no web address"),
    ],
)
def test_what_may_not(url: str, said: str) -> None:
    reason = guard.forbidden_reason(url, TYPED)
    assert reason is not None
    assert said in reason


def test_what_is_allowed_is_replaced_and_added_to() -> None:
    before = guard.allowed()
    try:
        guard.set_allowed(frozenset({("LocalHost", 80)}))
        guard.allow("[::1]", 8000)
        assert guard.allowed() == {("localhost", 80), ("::1", 8000)}
        guard.set_allowed(frozenset())
        assert guard.allowed() == frozenset()
    finally:
        guard.set_allowed(before)


class _Site(BaseHTTPRequestHandler):
    """Sends each path ``/N`` to the N-th target, and notes who came."""

    targets: tuple[str, ...] = ()
    visits: list[str]

    def do_GET(self) -> None:
        self.visits.append(self.path)
        number = self.path.strip("/")
        self.send_response(302 if number.isdigit() else 200)
        if number.isdigit():
            self.send_header("Location", self.targets[int(number)])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class _DualStack(ThreadingHTTPServer):
    """On all addresses of this machine, IPv6 and IPv4-mapped ones included, if it has any such."""

    address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


@contextmanager
def served(
    kind: type[ThreadingHTTPServer], host: str, targets: tuple[str, ...] = ()
) -> Iterator[tuple[int, list[str]]]:
    visits: list[str] = []
    server = kind((host, 0), type("Site", (_Site,), {"targets": targets, "visits": visits}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1], visits
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


CRAWL = """
import json, sys
from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from newsmorgue.capture import guard
from newsmorgue.errors import ForbiddenAddress

port, count = int(sys.argv[1]), int(sys.argv[2])
guard.set_allowed(frozenset({("127.0.0.1", port)}))
ends = {}

class Follower(Spider):
    name = "follower"

    async def start(self):
        for number in range(count):
            yield Request(f"http://127.0.0.1:{port}/{number}", meta={"number": number}, errback=self.failed)

    def parse(self, response):
        ends[response.meta["number"]] = f"{response.status} {response.url}"

    def failed(self, failure):
        ends[failure.request.meta["number"]] = f"{failure.type.__name__}: {failure.value}"

process = AsyncCrawlerProcess({
    "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False,
    "LOG_LEVEL": "CRITICAL", "DOWNLOAD_TIMEOUT": 60, "RETRY_ENABLED": False,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 32, "DOWNLOAD_DELAY": 0, "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
} | json.loads(sys.argv[3]))
process.crawl(Follower)
process.start()
print(json.dumps([ends.get(number) for number in range(count)]))
"""


HOSTS = (
    *("127.0.0.1", "127.0.0.2", "127.1", "2130706433", "0x7f000001", "017700000001", "0", "0.0.0.0", "localhost"),
    *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "[0:0:0:0:0:0:0:1]"),
)


def crawl(folder: Path, settings: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """How each redirect of an allowed server to a second one ended, and which visits the two servers had."""
    with served(_DualStack, "") as (secret, secret_visits):
        targets = tuple(f"http://{host}:{secret}/{host}" for host in HOSTS)
        with served(ThreadingHTTPServer, "127.0.0.1", (*targets, "/fine")) as (port, visits):
            (folder / "crawl.py").write_text(CRAWL)
            command = [sys.executable, "crawl.py", str(port), str(len(HOSTS) + 1), json.dumps(settings)]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=True)
    return json.loads(done.stdout), secret_visits, visits


def test_no_redirect_reaches_another_server_of_this_machine(tmp_path: Path) -> None:
    """The resolver alone is enough, whatever spelling of this machine's addresses a site chooses."""
    ends, secret_visits, visits = crawl(tmp_path, {"TWISTED_DNS_RESOLVER": "newsmorgue.capture.guard.GuardedResolver"})
    assert secret_visits == []
    assert "/fine" in visits
    assert ends[-1].startswith("200 http://127.0.0.1:")
    assert [end for end in ends[:-1] if not end.startswith("ForbiddenAddress: ")] == []
    assert "not public; only what the operator typed may lead there" in ends[0]


def test_without_the_guard_the_other_server_would_have_been_reached(tmp_path: Path) -> None:
    """The control: the test above would see a visit."""
    _, secret_visits, _ = crawl(tmp_path, {})
    assert len(secret_visits) >= 9


@pytest.mark.parametrize("kinds", [None, [IPv4Address]])
def test_a_name_with_public_and_other_addresses_leads_to_the_public_ones(kinds: list[Any] | None) -> None:
    received = resolve_with_guard(["10.0.0.1", "93.184.215.14", "127.0.0.1"], kinds)
    assert [address.host for address in received] == ["93.184.215.14"]


def test_a_name_with_no_public_address_says_why_where_it_can() -> None:
    (nowhere,) = resolve_with_guard(["10.0.0.1"], None)
    with pytest.raises(ForbiddenAddress, match=r"rebound\.example:80: is 10\.0\.0\.1, not public"):
        _ = nowhere.host
    assert resolve_with_guard(["10.0.0.1"], [IPv4Address]) == []
    assert resolve_with_guard([], None) == []


class _Answers:
    """A name server's answers without the server."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = addresses

    def resolveHostName(self, receiver: Any, host: str, port: int, *rest: object) -> None:
        receiver.resolutionBegan(None)
        for address in self._addresses:
            receiver.addressResolved(IPv4Address("TCP", address, port))
        receiver.resolutionComplete()


class _Gathers:
    def __init__(self) -> None:
        self.addresses: list[Any] = []
        self.complete = False

    def resolutionBegan(self, resolution: object) -> None:
        pass

    def addressResolved(self, address: Any) -> None:
        self.addresses.append(address)

    def resolutionComplete(self) -> None:
        self.complete = True


def resolve_with_guard(answers: list[str], kinds: list[Any] | None) -> list[Any]:
    receiver = _Gathers()
    resolver = guard.GuardedResolver(SimpleNamespace(nameResolver=_Answers(answers)))
    resolver.resolveHostName(receiver, "rebound.example", 80, kinds)
    assert receiver.complete
    return receiver.addresses
