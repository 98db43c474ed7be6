"""CDXJ: the index beside a WARC, one capture a line: ``SURT TIMESTAMP {JSON}``, sorted by bytes.

The form is that of pywb and cdxj-indexer, which write all values as strings, ``status``, ``length`` and
``offset`` too.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from newsmorgue.errors import MalformedRecord

# Our keys are visible ASCII; those of other tools may hold UTF-8, but never what parts fields and lines.
_KEY = re.compile(r"[^\x00-\x20\x7f-\x9f]+")
_TIMESTAMP = re.compile(r"\d{14}(?:\d{3})?", re.ASCII)
# Ten times what a capture of a POST with its body takes.
_MOST_BYTES = 16 * 2**20
_HEADERS = (b"!", b"@")


@dataclass(frozen=True, slots=True)
class CdxLine:
    """One capture in an index.

    ``timestamp`` has 14 digits, or 17 (milliseconds) in files of some other tools. ``fields`` is the JSON
    object in its order: ``url``, ``mime``, ``status``, ``digest``, ``length``, ``offset``, ``filename``, and
    any extensions as they are given.
    """

    surt: str
    timestamp: str
    fields: Mapping[str, Any]


def format_line(line: CdxLine) -> str:
    """The line without its line feed, ASCII after the key. Raises ValueError if key or time would break it.

    >>> format_line(CdxLine("org,example)/", "20260131120000", {"url": "http://example.org/é"}))
    'org,example)/ 20260131120000 {"url": "http://example.org/\\\\u00e9"}'
    """
    if not _KEY.fullmatch(line.surt) or not _TIMESTAMP.fullmatch(line.timestamp):
        raise ValueError(f"not a CDXJ key and timestamp: {line.surt!r} {line.timestamp!r}")
    return f"{line.surt} {line.timestamp} {json.dumps(dict(line.fields))}"


def parse_line(line: str, where: str) -> CdxLine:
    """Read what :func:`format_line` writes. Raises :class:`MalformedRecord` that begins with ``where``."""
    surt, _, rest = line.rstrip("\r\n").partition(" ")
    timestamp, _, text = rest.partition(" ")
    if not _KEY.fullmatch(surt) or not _TIMESTAMP.fullmatch(timestamp):
        raise MalformedRecord(f"{where}: not a CDXJ line (want 'SURT TIMESTAMP {{JSON}}'); index the WARC anew")
    return CdxLine(surt, timestamp, _fields(text, where))


def read_cdxj(stream: BinaryIO, name: str) -> Iterator[CdxLine]:
    """The lines of an index in their order, without headers (``!meta …``) and empty lines, streaming.

    Raises :class:`MalformedRecord` that names the file, as ``name``, and the line.
    """
    for number, line in enumerate(iter(lambda: stream.readline(_MOST_BYTES), b""), 1):
        where = f"{name}:{number}"
        if len(line) == _MOST_BYTES:
            raise MalformedRecord(f"{where}: longer than {_MOST_BYTES} bytes; index the WARC anew")
        if line.strip() and not line.startswith(_HEADERS):
            yield parse_line(_decoded(line, where), where)


def write_cdxj(lines: Iterable[CdxLine], stream: BinaryIO) -> None:
    """Write an index, sorted by bytes as its readers' binary search needs it. Holds all lines in memory."""
    for line in sorted(f"{format_line(line)}\n".encode() for line in lines):
        stream.write(line)


def _decoded(line: bytes, where: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise MalformedRecord(f"{where}: not UTF-8; index the WARC anew") from error


def _fields(text: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedRecord(f"{where}: not JSON after the timestamp: {error}; index the WARC anew") from error
    if not isinstance(fields, dict):
        raise MalformedRecord(f"{where}: no JSON object after the timestamp; index the WARC anew")
    return fields
