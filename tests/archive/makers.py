"""Web archives as other tools make them: by the tools themselves where they are here, else by hand after their kind."""

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import threading
import uuid
import zipfile
from base64 import b32encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from tests.processes import SECONDS

SENTENCES = (
    "The old bridge over the river was closed on Monday after a storm had torn two cables from its northern tower.",
    "Engineers will inspect the rest of it by boat this week, and the ferry carries the traffic until they are done.",
    "The council has asked the ministry for money, which the ministry says it will not have before the coming spring.",
    "Shops on the eastern bank report half of their usual custom, and several have cut their opening hours to three.",
    "A public meeting about the detours will be held on Thursday evening in the town hall, where seats are limited.",
)


def page(*more: str, headline: str = "The bridge is closed", head: str = "") -> bytes:
    """A news page with boilerplate around its story; ``more`` are further sentences."""
    text = "".join(f"<p>{sentence} {sentence[::-1].title()[::-1]}</p>" for sentence in (*SENTENCES, *more))
    return (
        f"<!DOCTYPE html><html><head><title>{headline}</title>{head}</head><body><nav><a href='/'>Home</a></nav>"
        f"<article><h1>{headline}</h1>{text}</article><footer>Contact us</footer></body></html>"
    ).encode()


def http(body: bytes, *fields: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    """An HTTP response; without fields, an HTML page with its length."""
    lines = fields or ("Content-Type: text/html; charset=utf-8", f"Content-Length: {len(body)}")
    return "\r\n".join([status, *lines, "", ""]).encode() + body


def record(
    kind: str, url: str | None, date: str, block: bytes, version: str = "1.1", /, **fields: str | None
) -> tuple[str, bytes]:
    """A WARC record's id and its bytes. Fields have underscores for hyphens; None leaves one out."""
    identifier = f"<urn:uuid:{uuid.uuid4()}>"
    media_types = {"warcinfo": "application/warc-fields", "metadata": "application/warc-fields"}
    is_request = kind == "request"
    usual = f"application/http; msgtype={'request' if is_request else 'response'}"
    values: dict[str, str | None] = {
        "WARC-Type": kind,
        "WARC-Record-ID": identifier,
        "WARC-Date": date,
        "WARC-Target-URI": url,
        "Content-Type": media_types.get(kind, usual),
    }
    values |= {name.replace("_", "-"): value for name, value in fields.items()}
    values["Content-Length"] = str(len(block))
    lines = "".join(f"{name}: {value}\r\n" for name, value in values.items() if value is not None)
    return identifier, f"WARC/{version}\r\n{lines}\r\n".encode() + block + b"\r\n\r\n"


def sha1(data: bytes) -> str:
    """As most tools write it."""
    return "sha1:" + b32encode(hashlib.sha1(data).digest()).decode()


def members(*records: bytes) -> bytes:
    """A gzip member a record, as the specification asks for."""
    return b"".join(gzip.compress(each, mtime=0) for each in records)


def exchange(url: str, date: str, response: bytes, **fields: str | None) -> list[bytes]:
    """A response and its request, as most crawlers write them."""
    identifier, first = record("response", url, date, response, WARC_Block_Digest=sha1(response), **fields)
    request = f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    return [first, record("request", url, date, request, WARC_Concurrent_To=identifier)[1]]


def common_crawl(url: str, date: str, body: bytes) -> bytes:
    """CC-NEWS: WARC 1.0, the request first, codings undone (their fields renamed), metadata of the fetch last."""
    fields = ("Content-Type: text/html", "X-Crawl-Content-Encoding: br", f"Content-Length: {len(body)}")
    response = http(body, *fields)
    info = record("warcinfo", None, date, b"isPartOf: CC-NEWS\r\n", "1.0")[1]
    identifier, request = record("request", url, date, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "1.0")
    digests = {"WARC_Payload_Digest": sha1(body), "WARC_Block_Digest": sha1(response)}
    main, answer = record("response", url, date, response, "1.0", WARC_Concurrent_To=identifier, **digests)
    about = record("metadata", url, date, b"fetchTimeMs: 12\r\n", "1.0", WARC_Concurrent_To=main)[1]
    return members(info, request, answer, about)


def browsertrix(pages: Mapping[str, tuple[str, bytes]]) -> bytes:
    """A WACZ by its specification 1.1.1, as Browsertrix fills it: SHA-256, ``resource`` records beside, and HTTP/2 told
    of by ``WARC-Protocol`` alone.
    """
    records = [record("warcinfo", None, "2026-01-31T10:00:00.000Z", b"software: Browsertrix-Crawler\r\n")[1]]
    lines = []
    for url, (date, body) in pages.items():
        response = http(body, "content-type: text/html; charset=utf-8")
        sha256 = f"sha256:{hashlib.sha256(response).hexdigest()}"
        more = {"WARC_Page_ID": "42ce", "WARC_Resource_Type": "document", "WARC_Protocol": "h2"}
        identifier, first = record("response", url, date, response, WARC_Block_Digest=sha256, **more)
        request = record("request", url, date, b"GET / HTTP/1.1\r\n\r\n", WARC_Concurrent_To=identifier)[1]
        about = record("resource", f"urn:pageinfo:{url}", date, b"{}", Content_Type="application/json")[1]
        records += [first, request, about]
        lines.append(json.dumps({"id": "1", "url": url, "ts": date, "title": "x"}))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("archive/rec-1-0.warc.gz", members(*records))
        package.writestr("pages/pages.jsonl", "\n".join(['{"format": "json-pages-1.0", "id": "pages"}', *lines]))
        package.writestr("datapackage.json", '{"profile": "data-package", "wacz_version": "1.1.1", "resources": []}')
    return out.getvalue()


class _Site(BaseHTTPRequestHandler):
    """A page, the same chunked, an address that leads to it, one that is gone, one that may not be archived."""

    protocol_version = "HTTP/1.1"
    body: ClassVar[bytes] = page()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        status, fields, body = 200, {"Content-Type": "text/html; charset=utf-8"}, self.body
        if self.path == "/old":
            status, fields, body = 301, {"Location": "/story"}, b""
        elif self.path == "/gone":
            status, body = 404, b"gone"
        elif self.path == "/private":
            fields["X-Robots-Tag"] = "noarchive"
        elif self.path == "/chunked":
            fields["Transfer-Encoding"] = "chunked"
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in _parts(body)) + b"0\r\n\r\n"
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        if "Transfer-Encoding" not in fields:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parts(body: bytes) -> list[bytes]:
    return [body[start : start + 500] for start in range(0, len(body), 500)]


@contextmanager
def small_site(host: str = "127.0.0.1") -> Iterator[str]:
    """The site's address, without a slash at its end."""
    server = ThreadingHTTPServer((host, 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def by_wget(site: str, folder: Path) -> Path:
    """``wget --warc-file``, which puts addresses between angle brackets."""
    urls = [f"{site}/{name}" for name in ("old", "chunked", "private", "gone")]
    command = ["wget", "-q", "--no-config", "--no-proxy", f"--warc-file={folder / 'wget'}", "-O", "/dev/null", *urls]
    subprocess.run(command, timeout=SECONDS, check=False)  # a 404 is an error to it
    return folder / "wget.warc.gz"


_WARCIO = """
import http.client, sys
from warcio.capture_http import capture_http
import http.client
with capture_http(sys.argv[2]):
    for path in ("/story", "/chunked"):
        connection = http.client.HTTPConnection(sys.argv[1])
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()
"""


def by_warcio(site: str, folder: Path) -> Path:
    """``warcio.capture_http``."""
    made = folder / "warcio.warc.gz"
    host = site.removeprefix("http://")
    subprocess.run([sys.executable, "-c", _WARCIO, host, str(made)], timeout=SECONDS, check=True)
    return made


def has_wget() -> bool:
    """Whether the machine has it."""
    return shutil.which("wget") is not None
