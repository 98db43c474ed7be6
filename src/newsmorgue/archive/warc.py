"""WARC 1.1 records (ISO 28500:2017), written through warcio and read back.

Where warcio would change bytes or add what the specification does not ask for, this module overrides it:
header blocks are written as they came, digests are the specification's, and a response that is chunked, or whose
head has no plain end, has no ``WARC-Payload-Digest`` (validators disagree on which bytes it covers; without the
optional field all accept it).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from newsmorgue.archive.exchange import Exchange, HttpHead, sha1, split_head, without_chunks
from newsmorgue.archive.journal import pack, unpack
from newsmorgue.errors import MalformedRecord
from newsmorgue.times import iso

_PROFILES = "http://netpreserve.org/warc/1.1/revisit/"
# An extension field (WARC 1.1 §4 lets readers pass over it): what the URL was to the crawl, so that a WARC alone says
# which of its captures are pages to be cleaned.
ROLE_FIELD = "Newsmorgue-Role"
# Another: what the site asked of archives, miners and AI crawlers for this answer.
RESERVED_FIELD = "Newsmorgue-Reserved"
# An extension field too: "valid", or why the server's certificate is not. A crawl does not turn away on its account.
CERTIFICATE_FIELD = "Newsmorgue-Certificate"
# What every ``warcinfo`` says of the format (WARC 1.1 §6.2).
FORMAT = {
    "format": "WARC File Format 1.1",
    "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
}
_FIELDS_TYPE = "application/warc-fields"
IDENTICAL_PAYLOAD = _PROFILES + "identical-payload-digest"
NOT_MODIFIED = _PROFILES + "server-not-modified"


class _WireHeaders(StatusAndHeaders):  # type: ignore[misc]  # warcio ships no types
    """An HTTP header block that is written exactly as it came."""

    def __init__(self, raw: bytes) -> None:
        super().__init__("", [])
        self._raw = raw

    def __bool__(self) -> bool:
        return True  # warcio would take a block with no parsed fields for none at all

    def compute_headers_buffer(self, header_filter: Any = None) -> None:
        self.headers_buff = self._raw


class _Writer(WARCWriter):  # type: ignore[misc]
    """warcio adds a payload digest to any record that has none; ours are set where they belong, and nowhere else."""

    NO_PAYLOAD_DIGEST_TYPES = ("warcinfo", "response", "revisit", "request", "metadata")


@dataclass(frozen=True, slots=True)
class RefersTo:
    """The earlier capture a revisit points at: its URL, its time as ``WARC-Date`` has it, its payload digest."""

    url: str
    date: str
    payload_digest: str


def clean_url(url: str) -> str:
    """A URL as ``WARC-Target-URI``: control characters, spaces, surrogates become escapes, so none forges a header."""
    data = url.encode("utf-8", "surrogatepass")
    return re.sub(rb"[\x00-\x20\x7f-\xff<>]", lambda match: b"%%%02X" % match.group()[0], data).decode("ascii")


def _fields(values: Mapping[str, str]) -> bytes:
    """Named fields as ``application/warc-fields``, each on one line whatever its value holds."""
    lines = (f"{name}: {' '.join(value.split())}\r\n" for name, value in values.items())
    return "".join(lines).encode("utf-8", "backslashreplace")


class RecordWriter:
    """Builds records as packed gzip members; writes to no file."""

    def __init__(self) -> None:
        self._out = BytesIO()
        self._warcio = _Writer(self._out, gzip=False, warc_version="1.1")

    def warcinfo(self, filename: str, date: str, info: Mapping[str, str]) -> bytes:
        """The record each file begins with."""
        body = _fields(info)
        headers = {"WARC-Date": date, "WARC-Filename": filename, "WARC-Block-Digest": sha1(body)}
        return self._pack(self._record("", "warcinfo", body, headers, content_type=_FIELDS_TYPE))

    def exchange(
        self,
        exchange: Exchange,
        role: str,
        refers_to: RefersTo | None = None,
        about: Mapping[str, str] | None = None,
        reserved: str | None = None,
    ) -> tuple[bytes, list[bytes]]:
        """An exchange's response (or revisit) member, then those that go with it: 1xx answers, the request, metadata.

        ``about`` is what the exchange itself does not show; where there is nothing of it there is no metadata record.
        """
        response = self._revisit(exchange, refers_to) if refers_to else self._response(exchange)
        response_id = response.rec_headers.get_header("WARC-Record-ID")
        response.rec_headers.add_header(ROLE_FIELD, role)
        if reserved:
            response.rec_headers.add_header(RESERVED_FIELD, reserved)
        if exchange.certificate:
            response.rec_headers.add_header(CERTIFICATE_FIELD, exchange.certificate)
        others = [self._interim(exchange, raw, response_id) for raw in exchange.interim]
        others.append(self._request(exchange, response_id))
        if about:
            others.append(self._metadata(exchange, about, response_id))
        return self._pack(response), [self._pack(other) for other in others]

    def rendering(self, url: str, date: str, dom: bytes, response_id: str) -> bytes:
        """The DOM that a browser made of a page, as UTF-8: a resource (WARC 1.1 §6.4), made with the page's response.

        It is no capture of the page's address, and would be taken for one under it: so its own is ``urn:dom:ADDRESS``.
        """
        headers = {"WARC-Date": date, "WARC-Concurrent-To": response_id, "WARC-Block-Digest": sha1(dom)}
        record = self._record(f"urn:dom:{url}", "resource", dom, headers, content_type="text/html; charset=utf-8")
        return self._pack(record)

    def _response(self, exchange: Exchange) -> ArcWarcRecord:
        headers = self._common(exchange) | {"WARC-Block-Digest": sha1(exchange.head.raw + exchange.body)}
        if exchange.head.ends_plainly and not exchange.head.is_chunked:
            headers["WARC-Payload-Digest"] = exchange.payload_digest
        if exchange.truncated:
            headers["WARC-Truncated"] = exchange.truncated
        return self._http_record(exchange, "response", exchange.body, headers, exchange.head.raw)

    def _revisit(self, exchange: Exchange, refers_to: RefersTo) -> ArcWarcRecord:
        profile = NOT_MODIFIED if exchange.head.status == 304 else IDENTICAL_PAYLOAD
        headers = self._common(exchange) | {
            "WARC-Profile": profile,
            "WARC-Refers-To-Target-URI": clean_url(refers_to.url),
            "WARC-Refers-To-Date": refers_to.date,
            "WARC-Payload-Digest": refers_to.payload_digest,
            "WARC-Block-Digest": sha1(exchange.head.raw),
        }
        return self._http_record(exchange, "revisit", b"", headers, exchange.head.raw)

    def _request(self, exchange: Exchange, response_id: str) -> ArcWarcRecord:
        head, body = split_head(exchange.request)
        headers = self._common(exchange) | {
            "WARC-Block-Digest": sha1(exchange.request),
            "WARC-Concurrent-To": response_id,
        }
        return self._http_record(exchange, "request", body, headers, head)

    def _interim(self, exchange: Exchange, raw: bytes, response_id: str) -> ArcWarcRecord:
        headers = self._common(exchange) | {"WARC-Block-Digest": sha1(raw), "WARC-Concurrent-To": response_id}
        return self._http_record(exchange, "response", b"", headers, raw)

    def _metadata(self, exchange: Exchange, about: Mapping[str, str], response_id: str) -> ArcWarcRecord:
        body = _fields(about)
        headers = {
            "WARC-Date": iso(exchange.started),
            "WARC-Concurrent-To": response_id,
            "WARC-Block-Digest": sha1(body),
        }
        return self._record(exchange.url, "metadata", body, headers, content_type=_FIELDS_TYPE)

    def _common(self, exchange: Exchange) -> dict[str, str]:
        headers = {"WARC-Date": iso(exchange.started)}
        if exchange.ip:
            headers["WARC-IP-Address"] = exchange.ip
        return headers

    def _http_record(
        self, exchange: Exchange, kind: str, body: bytes, headers: dict[str, str], http: bytes
    ) -> ArcWarcRecord:
        """A record of a message: over which protocols it came stands in a field for each of them."""
        record = self._record(exchange.url, kind, body, headers, http)
        spoken = "http/1.0" if exchange.head.raw.startswith(b"HTTP/1.0") else "http/1.1"
        record.rec_headers.add_header("WARC-Protocol", spoken)
        if exchange.tls:
            record.rec_headers.add_header("WARC-Protocol", exchange.tls)
        if exchange.cipher:
            record.rec_headers.add_header("WARC-Cipher-Suite", exchange.cipher)
        return record

    def _record(
        self,
        url: str,
        kind: str,
        body: bytes,
        headers: dict[str, str],
        http: bytes | None = None,
        content_type: str = "",
    ) -> ArcWarcRecord:
        return self._warcio.create_warc_record(
            clean_url(url),
            kind,
            payload=BytesIO(body),
            length=len(body),
            warc_content_type=content_type,
            warc_headers_dict=headers,
            http_headers=_WireHeaders(http) if http is not None else None,
        )

    def _pack(self, record: ArcWarcRecord) -> bytes:
        self._out.seek(0)
        self._out.truncate()
        self._warcio.write_record(record)
        return pack(self._out.getvalue())


@dataclass(frozen=True)
class StoredRecord:
    """A record read back: its WARC header fields by lower-case name, and its block."""

    headers: dict[str, str]
    block: bytes

    @property
    def kind(self) -> str:
        """``WARC-Type``."""
        return self.headers["warc-type"]

    @property
    def is_indexed(self) -> bool:
        """Whether this is a capture: a response or revisit, but not a 1xx answer, which is in no index."""
        return self.kind in ("response", "revisit") and not 100 <= self.http.status < 200

    @property
    def http(self) -> HttpHead:
        """The head of the HTTP message in the block."""
        return HttpHead(split_head(self.block)[0])

    @property
    def entity(self) -> bytes:
        """The HTTP body without its transfer-coding, as received otherwise (usually compressed)."""
        head, body = split_head(self.block)
        return without_chunks(body) if HttpHead(head).is_chunked else body


def read_record(member: bytes, where: str) -> StoredRecord:
    """One record from its gzip member. Raises :class:`MalformedRecord` naming ``where``."""
    return parse_record(unpack(member, where), where)


def parse_record(data: bytes, where: str) -> StoredRecord:
    """One record from its uncompressed bytes. Raises :class:`MalformedRecord` naming ``where``."""
    for record in ArchiveIterator(BytesIO(data), no_record_parse=True):
        headers = {name.lower(): value for name, value in record.rec_headers.headers}
        block = record.raw_stream.read()
        if "warc-type" not in headers or len(block) != int(headers.get("content-length", -1)):
            break
        return StoredRecord(headers, block)
    raise MalformedRecord(f"{where}: not a whole WARC record; run 'morgue verify'")
