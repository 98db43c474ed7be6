"""What is whole in a damaged file of gzip members, and the same file without the rest.

A mended file is as long as the whole one was, and every whole member stands where it stood: a filler has the place of
what was damaged, a record of its own in a WARC, a blank line in a journal.
"""

import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from isal import igzip_lib, isal_zlib

from newsmorgue.archive.events import decode
from newsmorgue.archive.exchange import sha1
from newsmorgue.archive.warc import parse_record
from newsmorgue.errors import MalformedRecord

# RFC 1952 §2.3.1: the two identifying bytes, and the one method there is.
_MAGIC = b"\x1f\x8b\x08"
_GZIP = 31  # zlib's window bits for one gzip member
_CHUNK = 1 << 16
# An extension field of the filler: how many bytes were lost there.
LOST_FIELD = "Newsmorgue-Lost"
# RFC 1951 §3.2.4: a block that is not compressed has five bytes of head and at most this many of content.
_MOST_STORED, _BLOCK_HEAD = 65_535, 5
_GZIP_FRAME = 18  # RFC 1952 §2.3: head and trailer of a member
_LOST = b"These bytes were damaged; what was left of them is in quarantine."
IsWhole = Callable[[bytes], bool]


def is_record(content: bytes) -> bool:
    """Whether that is a whole WARC record. A site's gzip body within a record is a member too, and none."""
    return _can_be_read(parse_record, content)


def is_event(content: bytes) -> bool:
    """Whether that is a line of a journal."""
    return _can_be_read(decode, content)


def _can_be_read(read: Callable[[bytes, str], object], content: bytes) -> bool:
    try:
        read(content, "")
    except MalformedRecord:
        return False
    return True


def intact_members(path: Path, is_whole: IsWhole, start: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
    """Every member from ``start`` on that can be read and is whole: its offset, its bytes, its content."""
    with path.open("rb") as stream:
        if not stream.seek(0, 2):
            return  # nothing can be mapped
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            offset = data.find(_MAGIC, start)
            while offset >= 0:
                length, content = _member(data, offset)
                if length and is_whole(content):
                    yield offset, data[offset : offset + length], content
                    offset = data.find(_MAGIC, offset + length)
                else:
                    offset = data.find(_MAGIC, offset + 1)


def _member(data: mmap.mmap, start: int) -> tuple[int, bytes]:
    """Length and content of the member that begins there; the length is 0 where none does."""
    decompressor, parts, offset = isal_zlib.decompressobj(_GZIP), [], start
    try:
        while not decompressor.eof:
            chunk = data[offset : offset + _CHUNK]
            if not chunk:
                return 0, b""
            parts.append(decompressor.decompress(chunk))
            offset += len(chunk)
    except (isal_zlib.error, igzip_lib.error):
        return 0, b""
    return offset - len(decompressor.unused_data) - start, b"".join(parts)


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not whole: offset and length in bytes, in the file as it should be."""

    offset: int
    length: int


Fill = Callable[[Gap], bytes]


def mend(path: Path, mended: Path, size: int, is_whole: IsWhole, fill: Fill) -> list[Gap]:
    """Write to ``mended`` what a file of ``size`` bytes still has, the gaps filled; where those are.

    Raises :class:`MalformedRecord` for a gap that no filler fits into.
    """
    gaps = []
    with mended.open("wb") as out:
        for offset, member, _ in intact_members(path, is_whole):
            if offset + len(member) > size:
                break
            if offset > out.tell():
                gaps.append(Gap(out.tell(), offset - out.tell()))
                out.write(fill(gaps[-1]))
            out.write(member)
        if out.tell() < size:
            gaps.append(Gap(out.tell(), size - out.tell()))
            out.write(fill(gaps[-1]))
    return gaps


def blank_line(gap: Gap) -> bytes:
    """A gap in a journal as one member."""
    return _stored(gap, lambda size: b" " * (size - 1) + b"\n")


def lost_record(name: str, date: str) -> Fill:
    """How gaps in a WARC of that name are filled: by a ``metadata`` record that says so, with that ``WARC-Date``."""

    def content(gap: Gap, size: int) -> bytes:
        identifier = uuid5(NAMESPACE_URL, f"{name}@{gap.offset}")
        head = (
            f"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{identifier}>\r\n"
            f"WARC-Date: {date}\r\n{LOST_FIELD}: {gap.length}\r\nContent-Type: text/plain\r\n"
        )
        digest_line = f"WARC-Block-Digest: {sha1(b'')}\r\n"
        room = size - len(head) - len(digest_line) - len("Content-Length: 0000000000\r\n\r\n\r\n\r\n")
        if room < 0:
            return b""
        block = _LOST[:room].ljust(room)
        head += f"WARC-Block-Digest: {sha1(block)}\r\nContent-Length: {room:010}\r\n\r\n"
        return head.encode() + block + b"\r\n\r\n"

    return lambda gap: _stored(gap, lambda size: content(gap, size))


def _stored(gap: Gap, content: Callable[[int], bytes]) -> bytes:
    """A gzip member of just the gap's length, not compressed, of what ``content`` makes of that size (if it can)."""
    blocks = 1
    while gap.length - _GZIP_FRAME - _BLOCK_HEAD * blocks > _MOST_STORED * blocks:
        blocks += 1
    size = gap.length - _GZIP_FRAME - _BLOCK_HEAD * blocks
    data = content(size) if size > 0 else b""
    if not data or len(data) != size:
        raise MalformedRecord(f"a gap of {gap.length} bytes at {gap.offset} has no room for a record that says so")
    parts = [_MAGIC + b"\0\0\0\0\0\0\xff"]
    for number in range(blocks):
        chunk = data[number * _MOST_STORED : (number + 1) * _MOST_STORED]
        parts += [struct.pack("<BHH", number == blocks - 1, len(chunk), len(chunk) ^ 0xFFFF), chunk]
    return b"".join([*parts, struct.pack("<II", zlib.crc32(data), size & 0xFFFFFFFF)])
