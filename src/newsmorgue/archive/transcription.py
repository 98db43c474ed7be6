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
from newsmorgue.archive.foreign import ForeignRecord, Skipped, digest_differs
from newsmorgue.archive.journal import pack
from newsmorgue.archive.warc import IDENTICAL_PAYLOAD, NOT_MODIFIED, ROLE_FIELD, StoredRecord, clean_url
from newsmorgue.times import from_iso, iso
from newsmorgue.urls import host_and_port

# An extension field: the file and the id of the record that this one was copied from.
ORIGIN_FIELD = "Newsmorgue-Imported-From"
_KINDS = ("response", "revisit", "request")
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
        ORIGIN_FIELD.lower(),
    }
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WAITING = 64  # requests kept until their response comes


@dataclass(frozen=True, slots=True)
class Copied:
    """A response or revisit of another maker with the records that go with it (request, 1xx answers).

    ``url`` and ``time`` are the record's own, ``head`` and ``entity`` what its block holds.
    """

    record: ForeignRecord
    others: tuple[ForeignRecord, ...]
    url: str
    time: datetime
    stored: StoredRecord

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
    def role(self) -> Role:
        """What the URL was to the crawl that made the record, where it was ours; else what its address shows."""
        stated = self.record.get(ROLE_FIELD.lower())
        if stated in set(Role):
            return Role(stated)
        path = re.sub(r"^[^:]+://[^/?#]*", "", self.url).partition("#")[0]
        return Role.ROBOTS if path == "/robots.txt" else Role.HOME if path in ("", "/") else Role.LINK


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A record that is no capture of a web page (``warcinfo``, ``metadata``, ``resource``…)."""

    where: str
    kind: str


def copies(records: Iterator[ForeignRecord | Skipped]) -> Iterator[Copied | Skipped | PassedOver]:
    """Put records together that one exchange made. They stand side by side, or name each other by id."""
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
        if group and not _belongs(record, group):
            yield from _settled(group, requests)
            group = []
        group.append(record)
    yield from _settled(group, requests)
    yield from (PassedOver(request.where, "request without its response") for request in requests.values())


def _refused(record: ForeignRecord) -> Skipped | PassedOver | None:
    """Why a record is not taken; None where it is."""
    url, media_type = _url(record), (record.get("content-type") or "").lower()
    is_http = media_type.startswith("application/http") or (record.kind == "revisit" and not record.block)
    if record.kind not in _KINDS or not is_http or not re.match(r"https?://[^/]", url, re.I):
        return PassedOver(record.where, record.kind or "no WARC-Type")
    if record.get("warc-segment-number"):
        return Skipped(record.where, f"{url}: in segments, which are not put together")
    if digest_differs(record.get("warc-block-digest"), record.block):
        return Skipped(record.where, f"{url}: its bytes are not those of its WARC-Block-Digest")
    try:
        host_and_port(url)
        _time(record)
    except ValueError as error:
        return Skipped(record.where, f"{url}: {error}")
    return None


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
    named = [one.get("warc-concurrent-to"), other.get("warc-concurrent-to")]
    if any(named):
        both = other.get("warc-record-id"), one.get("warc-record-id")
        return any(name is not None and name == id for name, id in zip(named, both, strict=True)) or (
            named[0] is not None and named[0] == named[1]
        )
    return _url(one) == _url(other) and one.get("warc-date") == other.get("warc-date")


def _settled(group: list[ForeignRecord], requests: dict[str, ForeignRecord]) -> Iterator[Copied | PassedOver]:
    main = next((record for record in group if _is_main(record)), None)
    others = [record for record in group if record is not main]
    if main is None:
        for record in others:
            requests[record.where] = record
        while len(requests) > _WAITING:
            yield PassedOver(requests.pop(next(iter(requests))).where, "request without its response")
        return
    if not any(record.kind == "request" for record in others):
        found = next((request for request in requests.values() if _are_concurrent(main, request)), None)
        others += [requests.pop(found.where)] if found else []
    headers = {name.lower(): value for name, value in main.fields}
    headers |= {"warc-type": main.kind, "warc-target-uri": _url(main), "warc-date": iso(_time(main))}
    yield Copied(main, tuple(others), _url(main), _time(main), StoredRecord(headers, main.block))


def transcribe(copied: Copied, refers_to: Capture | None) -> tuple[StoredRecord, list[bytes]]:
    """Our record of a copied one, and the gzip members to be written: its own, then those that go with it.

    ``refers_to`` is the capture in this archive that a revisit repeats.
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
    if copied.truncated:
        fields["WARC-Truncated"] = _CONTROL.sub(" ", copied.truncated)
    kept = _kept_fields(copied.record)
    members = [_packed(fields, kept, copied.record.block)]
    for other in copied.others:
        its = _own_fields(other, _time(other)) | {"WARC-Concurrent-To": fields["WARC-Record-ID"]}
        if cut := other.get("warc-truncated"):
            its["WARC-Truncated"] = _CONTROL.sub(" ", cut)
        members.append(_packed(its, _kept_fields(other), other.block))
    headers = {name.lower(): value for name, value in (*fields.items(), *kept)}
    return replace(stored, headers=headers), members


def _own_fields(record: ForeignRecord, time: datetime) -> dict[str, str]:
    name, _, _ = record.where.rpartition("@")
    return {
        "WARC-Type": record.kind,
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid4()}>",
        "WARC-Target-URI": _url(record),
        "WARC-Date": iso(time),
        "Content-Type": f"application/http; msgtype={'request' if record.kind == 'request' else 'response'}",
        "WARC-Block-Digest": sha1(record.block),
        ORIGIN_FIELD: f"{clean_url(name)} {clean_url((record.get('warc-record-id') or '-').strip('<> '))}",
    }


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
