"""The tap over TLS: the bytes inside it, and what kind of connection it was."""

import gzip
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.capture.odd_crawl import Record, crawl
from tests.capture.odd_server import Answer, End, OddServer, make_certificate, serve, tls_with

_BODY = gzip.compress(b"secret" * 5000, mtime=0)
_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
_ANSWERS = {
    "/": (Answer((b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(_BODY), _BODY)),),
    "/again": (Answer((_CHUNKED, b"5\r\nhello\r\n", b"0\r\nX-Trailer: 1\r\n\r\n")),),
    "/closed": (Answer((b"HTTP/1.0 200 OK\r\n\r\nto the end",), End.CLOSE),),
    "/cut": (Answer((b"HTTP/1.0 200 OK\r\n\r\nnot to the end",), End.RESET),),
}


@dataclass(frozen=True, slots=True)
class Secure:
    """Servers by what is odd about them, and the records of one crawl of all."""

    servers: dict[str, OddServer]
    records: tuple[Record, ...]

    def of(self, name: str, path: str, kind: str = "response") -> Record:
        """The one record of that kind for that path of a server."""
        url = self.servers[name].url + path
        (found,) = (r for r in self.records if r.get("warc-target-uri") == url and r.kind == kind)
        return found


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """A crawl of servers with a good, an unknown, another host's and an expired certificate."""
    folder = tmp_path_factory.mktemp("secure")
    certificates = {
        "good": make_certificate(folder, "good"),
        "unknown": make_certificate(folder, "unknown"),
        "other": make_certificate(folder, "other", host="elsewhere.example"),
        "expired": make_certificate(folder, "expired", days=-1),
    }
    trusted = folder / "trusted.pem"
    trusted.write_bytes(b"".join(certificates[name].read_bytes() for name in ("good", "other", "expired")))
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(serve(_ANSWERS, tls_with(path, _version(name))))
            for name, path in certificates.items()
        }
        requests = [{"url": server.url + path} for server in servers.values() for path in _ANSWERS]
        settings = {"RETRY_ENABLED": False}
        crawled = crawl(folder, requests, settings, {"SSL_CERT_FILE": str(trusted), "SSL_CERT_DIR": str(Path("/none"))})
        yield Secure(servers, tuple(crawled.records()))


def _version(name: str) -> ssl.TLSVersion:
    return ssl.TLSVersion.TLSv1_2 if name == "unknown" else ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("path", _ANSWERS)
@pytest.mark.parametrize("name", ["good", "unknown", "other", "expired"])
def test_the_bytes_inside_are_kept(secure: Secure, name: str, path: str) -> None:
    (wire,) = secure.servers[name].wires(path)
    assert secure.of(name, path).block == wire.sent
    assert secure.of(name, path, "request").block == wire.request


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("good", "valid"),
        ("unknown", "self-signed certificate"),
        ("other", "made out to another host"),
        ("expired", "certificate has expired"),
    ],
)
def test_whether_the_certificate_holds_is_said(secure: Secure, name: str, verdict: str) -> None:
    for path in _ANSWERS:
        assert secure.of(name, path).get("newsmorgue-certificate") == verdict


def test_protocols_and_cipher_are_said(secure: Secure) -> None:
    for kind in ("response", "request"):
        newest, older = secure.of("good", "/", kind), secure.of("unknown", "/closed", kind)
        assert newest.all("warc-protocol") == ["http/1.1", "tls/1.3"]
        assert newest.get("warc-cipher-suite") in ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256")
        assert older.all("warc-protocol") == ["http/1.0", "tls/1.2"]
        assert (older.get("warc-cipher-suite") or "").startswith("TLS_ECDHE_ECDSA_WITH_")


def test_a_body_without_length_is_whole_only_where_tls_was_closed(secure: Secure) -> None:
    # RFC 9112 §9.8: without a closure alert the answer is incomplete.
    assert secure.of("good", "/closed").get("warc-truncated") is None
    assert secure.of("good", "/cut").get("warc-truncated") == "disconnect"
