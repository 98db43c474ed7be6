"""Records of other makers, written as records of ours: the HTTP blocks and the dates as they were.

What a record's own fields say is kept, but for those that no longer hold here: ids (a new one each, as an id must be
used once), digests (in our algorithm), and references to records by id.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from newsmorgue.archive.capture import Capture, Role
from newsmorgue.archive.exchange import HttpHead, is_cut, sha1, split_head
from newsmorgue.archive.foreign import DESCRIBING, ForeignRecord, Skipped, digest_differs
from newsmorgue.archive.journal import pack
from newsmorgue.archive.salvage import LOST_FIELD
from newsmorgue.archive.strays import Strays
from newsmorgue.archive.warc import IDENTICAL_PAYLOAD, NOT_MODIFIED, RESERVED_FIELD, ROLE_FIELD, StoredRecord, clean_url
from newsmorgue.times import from_iso, iso
from newsmorgue.urls import host_and_port

# An extension field: the file and the id of the record that this one was copied from.
ORIGIN_FIELD = "Newsmorgue-Imported-From"
_KINDS = ("response", "revisit", "request")
# Under this and the page's address a crawler of ours keeps the DOM that a browser made of the page.
DOM_PREFIX = "urn:dom:"
_REPLACED = frozenset(
    {
        "warc-type",
        "warc-record-id",
        "warc-target-uri",
        "warc-date",
        "content-type",
        "content-length",
        "warc-block-digest",
        "warc-payload-digest",
        "warc-warcinfo-id",
        "warc-concurrent-to",
        "warc-filename",
        "warc-refers-to",
        "warc-refers-to-target-uri",
        "warc-refers-to-date",
        "warc-profile",
        "warc-truncated",
        ROLE_FIELD.lower(),
        RESERVED_FIELD.lower(),
        ORIGIN_FIELD.lower(),
        LOST_FIELD.lower(),
    }
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WAITING = 64  # requests kept until their response comes


@dataclass(frozen=True, slots=True)
class Copied:
    """A response or revisit of another maker with the records that go with it (request, 1xx answers, metadata),
    wherever they stand.

    ``url`` and ``time`` are the record's own, ``head`` and ``entity`` what its block holds. ``dom`` is the record of
    what a browser made of it, the last of ``others``.
    """

    record: ForeignRecord
    others: tuple[ForeignRecord, ...]
    url: str
    time: datetime
    stored: StoredRecord
    dom: ForeignRecord | None = None

    @property
    def where(self) -> str:
        """The place in the file."""
        return self.record.where

    @property
    def head(self) -> HttpHead:
        """The HTTP message's head."""
        return self.stored.http

    @property
    def method(self) -> str:
        """The request's method; GET where no request is known."""
        requests = (other.block for other in self.others if other.kind == "request")
        return next((block.split(b" ", 1)[0].decode("latin-1") for block in requests), "GET")

    @property
    def truncated(self) -> str | None:
        """Why the response is not whole: what its maker says, else ``unspecified`` where its own framing shows it."""
        stated = (self.record.get("warc-truncated") or "").strip()
        if stated or self.record.kind != "response" or self.method != "GET":
            return stated or None
        head, body = split_head(self.record.block)
        return "unspecified" if is_cut(HttpHead(head), body) else None

    @property
    def reserved(self) -> str | None:
        """What the site asks for it, as a recorder of ours said: it may have asked elsewhere than in the answer."""
        return self.record.get(RESERVED_FIELD.lower())

    @property
    def role(self) -> Role:
        """What the URL was to the crawl that made the record, where it was ours; else what its address shows."""
        stated = self.record.get(ROLE_FIELD.lower())
        if stated in set(Role):
            return Role(stated)
        path = re.sub(r"^[^:]+://[^/?#]*", "", self.url).partition("#")[0]
        return Role.ROBOTS if path == "/robots.txt" else Role.HOME if path in ("", "/") else Role.LINK


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A record that is no capture of a web page, and stands beside none (``warcinfo``, ``conversion``…).

    A ``stray`` says itself that it goes with another record, which may stand anywhere.
    """

    where: str
    kind: str
    stray: ForeignRecord | None = None


def copies(
    records: Iterator[ForeignRecord | Skipped], strays: Strays | None = None
) -> Iterator[Copied | Skipped | PassedOver]:
    """Put records together that one exchange made. They stand side by side and name each other by id, or have the same
    URL and date; or they are among the ``strays`` that were found before.
    """
    group: list[ForeignRecord] = []
    requests: dict[str, ForeignRecord] = {}
    for record in records:
        if isinstance(record, Skipped):
            yield record
            continue
        problem = _refused(record)
        if problem is not None:
            yield problem
            continue
        if record.kind in DESCRIBING and not _belongs(record, group):
            yield _apart(record)
            continue
        if group and not _belongs(record, group):
            yield from _settled(group, requests, strays)
            group = []
        group.append(record)
    yield from _settled(group, requests, strays)
    yield from map(_apart, requests.values())


def _apart(record: ForeignRecord) -> PassedOver:
    return PassedOver(record.where, record.kind, record if record.goes_with else None)


def _refused(record: ForeignRecord) -> Skipped | PassedOver | None:
    """Why a record is not taken; None where it is."""
    url = _url(record)
    if not _is_of_a_page(record, url):
        return PassedOver(record.where, record.kind or "no WARC-Type")
    if record.get("warc-segment-number"):
        return Skipped(record.where, f"{url}: in segments, which are not put together")
    if digest_differs(record.get("warc-block-digest"), record.block):
        return Skipped(record.where, f"{url}: its bytes are not those of its WARC-Block-Digest")
    try:
        host_and_port(url.removeprefix(DOM_PREFIX))
        _time(record)
    except ValueError as error:
        return Skipped(record.where, f"{url}: {error}")
    return None


def _is_of_a_page(record: ForeignRecord, url: str) -> bool:
    """Whether a record is one of an exchange over HTTP, or may stand beside those."""
    media_type = (record.get("content-type") or "").lower()
    if record.kind == "resource":
        return url.startswith(DOM_PREFIX) and media_type.startswith("text/html")
    is_http = media_type.startswith("application/http") or (record.kind == "revisit" and not record.block)
    is_known = record.kind == "metadata" or (record.kind in _KINDS and is_http)
    return is_known and re.match(r"https?://[^/]", url, re.I) is not None


def _url(record: ForeignRecord) -> str:
    """The target: wget, after an example in WARC 1.0, puts it between angle brackets."""
    return clean_url((record.get("warc-target-uri") or "").strip().removeprefix("<").removesuffix(">"))


def _time(record: ForeignRecord) -> datetime:
    return from_iso(record.get("warc-date") or "")


def _is_interim(record: ForeignRecord) -> bool:
    return record.kind == "response" and 100 <= HttpHead(split_head(record.block)[0]).status < 200


def _is_main(record: ForeignRecord) -> bool:
    return record.kind in ("response", "revisit") and not _is_interim(record)


def _belongs(record: ForeignRecord, group: list[ForeignRecord]) -> bool:
    if _is_main(record) and any(map(_is_main, group)):
        return False
    if record.kind == "request" and any(other.kind == "request" for other in group):
        return False
    return any(_are_concurrent(record, other) for other in group)


def _are_concurrent(one: ForeignRecord, other: ForeignRecord) -> bool:
    """By id where either names one; else by URL and date."""
    these, those = one.goes_with, other.goes_with
    if these or those:
        ids = one.get("warc-record-id"), other.get("warc-record-id")
        return ids[0] in those or ids[1] in these or not these.isdisjoint(those)
    return _url(one) == _url(other) and one.get("warc-date") == other.get("warc-date")


def _settled(
    group: list[ForeignRecord], requests: dict[str, ForeignRecord], strays: Strays | None
) -> Iterator[Copied | PassedOver]:
    main = next((record for record in group if _is_main(record)), None)
    if main is None:
        for record in group:
            if record.kind == "request":
                requests[record.where] = record
            else:
                yield _apart(record)
        while len(requests) > _WAITING:
            yield _apart(requests.pop(next(iter(requests))))
        return
    others = [record for record in group if record is not main]
    if not any(record.kind == "request" for record in others):
        found = next((request for request in requests.values() if _are_concurrent(main, request)), None)
        others += [requests.pop(found.where)] if found else []
    if strays is not None:
        has_request = any(record.kind == "request" for record in others)
        ids = [identifier for record in group if (identifier := record.get("warc-record-id"))]
        others += [stray for stray in strays.of(ids) if not (has_request and stray.kind == "request")]
    dom = next((record for record in reversed(others) if record.kind == "resource"), None)
    others = [record for record in others if record is not dom] + ([dom] if dom else [])
    headers = {name.lower(): value for name, value in main.fields}
    headers |= {"warc-type": main.kind, "warc-target-uri": _url(main), "warc-date": iso(_time(main))}
    stored = StoredRecord(headers, main.block)
    yield Copied(main, tuple(others), _url(main), _time(main), stored, dom)


def transcribe(
    copied: Copied, refers_to: Capture | None, reserved: str | None = None
) -> tuple[StoredRecord, list[bytes]]:
    """Our record of a copied one, and the gzip members to be written: its own, then those that go with it.

    ``refers_to`` is the capture in this archive that a revisit repeats, ``reserved`` what its site asks for it.
    """
    stored = copied.stored
    fields = _own_fields(copied.record, copied.time)
    if refers_to is not None:
        profile = NOT_MODIFIED if copied.head.status == 304 else IDENTICAL_PAYLOAD
        fields["WARC-Profile"] = (copied.record.get("warc-profile") or profile).replace("/1.0/", "/1.1/")
        fields["WARC-Refers-To-Target-URI"] = refers_to.url
        fields["WARC-Refers-To-Date"] = iso(refers_to.time)
        if refers_to.payload_digest:
            fields["WARC-Payload-Digest"] = refers_to.payload_digest
    elif not copied.head.is_chunked:
        fields["WARC-Payload-Digest"] = sha1(stored.entity)
    fields[ROLE_FIELD] = copied.role.value
    if reserved:
        fields[RESERVED_FIELD] = _CONTROL.sub(" ", reserved)
    if copied.truncated:
        fields["WARC-Truncated"] = _CONTROL.sub(" ", copied.truncated)
    kept = _kept_fields(copied.record)
    members = [_packed(fields, kept, copied.record.block)]
    members += [transcribe_beside(other, fields["WARC-Record-ID"]) for other in copied.others]
    headers = {name.lower(): value for name, value in (*fields.items(), *kept)}
    return replace(stored, headers=headers), members


def transcribe_beside(record: ForeignRecord, response_id: str) -> bytes:
    """The member of a record that goes with a capture of ours."""
    fields = _own_fields(record, _time(record)) | {"WARC-Concurrent-To": response_id}
    if cut := record.get("warc-truncated"):
        fields["WARC-Truncated"] = _CONTROL.sub(" ", cut)
    return _packed(fields, _kept_fields(record), record.block)


def _own_fields(record: ForeignRecord, time: datetime) -> dict[str, str]:
    name, _, _ = record.where.rpartition("@")
    return {
        "WARC-Type": record.kind,
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid4()}>",
        "WARC-Target-URI": _url(record),
        "WARC-Date": iso(time),
        "Content-Type": _content_type(record),
        "WARC-Block-Digest": sha1(record.block),
        ORIGIN_FIELD: f"{clean_url(name)} {clean_url((record.get('warc-record-id') or '-').strip('<> '))}",
    }


def _content_type(record: ForeignRecord) -> str:
    if record.kind in DESCRIBING:
        return _CONTROL.sub(" ", record.get("content-type") or "application/octet-stream")
    return f"application/http; msgtype={'request' if record.kind == 'request' else 'response'}"


def _kept_fields(record: ForeignRecord) -> list[tuple[str, str]]:
    return [
        (name, _CONTROL.sub(" ", value))
        for name, value in record.fields
        if name.lower() not in _REPLACED and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name)
    ]


def _packed(fields: dict[str, str], kept: list[tuple[str, str]], block: bytes) -> bytes:
    length = ("Content-Length", str(len(block)))
    lines = "".join(f"{name}: {value}\r\n" for name, value in (*fields.items(), *kept, length))
    header = b"WARC/1.1\r\n" + lines.encode("utf-8", "backslashreplace") + b"\r\n"
    return pack(header + block + b"\r\n\r\n")
