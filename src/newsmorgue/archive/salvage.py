"""What is whole in a damaged file of gzip members, and the same file without the rest.

In a mended file every whole member stands where it stood: a filler has the place of what was damaged, a record of its
own in a WARC, a blank line in a journal. Behind the last whole member nothing has a place to keep: a WARC ends there.
"""

import mmap
import struct
import zlib
from bisect import bisect
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
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
_LEAST = 1 << 12  # bytes in which any filler finds room
_TAIL = 512  # bytes of a filler that nothing stands behind
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
    """What was not whole: the offset, the bytes that a filler has to have, and the bytes that were lost."""

    offset: int
    length: int
    lost: int


Fill = Callable[[Gap], bytes]
Identify = Callable[[bytes, int], int | None]
"""Where a member of that content and length stood; None where nothing says so."""


class Unwanted(Exception):
    """A whole member that must not be taken over; raised by :data:`Identify`."""


@dataclass
class _Run:
    """Whole members that follow one another in a damaged file, by their offsets and lengths in it."""

    start: int
    members: list[tuple[int, int]] = field(default_factory=list)
    shift: int | None = None  # how far all of it stood from where it is

    @property
    def end(self) -> int:
        return self.members[-1][0] + self.members[-1][1] if self.members else self.start


@dataclass(frozen=True, slots=True)
class _Placed:
    """A member: where it belongs, and where it is in the damaged file."""

    offset: int
    length: int
    found: int

    @property
    def end(self) -> int:
        return self.offset + self.length


def _runs(path: Path, is_whole: IsWhole, identify: Identify) -> list[_Run]:
    runs: list[_Run] = []
    for offset, member, content in intact_members(path, is_whole):
        try:
            place = identify(content, len(member))
        except Unwanted:
            continue
        if not runs or runs[-1].end != offset:
            runs.append(_Run(offset))
        if place is not None and runs[-1].shift not in (None, place - offset):
            runs.append(_Run(offset))  # something between whole members was lost, or came in, just at their border
        if place is not None:
            runs[-1].shift = place - offset
        runs[-1].members.append((offset, len(member)))
    return runs


def _placed(path: Path, size: int, is_whole: IsWhole, identify: Identify) -> list[_Placed]:
    """The members that are whole, where they belong: by what is known of one of their run, or as they stand, or (the
    last ones of a file that grew or shrank) as far from its end as they are. What is known goes before what is guessed.
    """
    placed: list[_Placed] = []
    runs = _runs(path, is_whole, identify)
    for run in sorted(runs, key=lambda run: run.shift is None):
        shift = run.shift
        if shift is None:
            shift = size - path.stat().st_size if run.start and run.end == path.stat().st_size else 0
        for offset, length in run.members:
            _place(placed, _Placed(offset + shift, length, offset), size)
    return placed


def _place(placed: list[_Placed], member: _Placed, size: int) -> None:
    """Put a member among the others, if its room is free."""
    number = bisect(placed, member.offset, key=lambda other: other.offset)
    begin = placed[number - 1].end if number else 0
    end = placed[number].offset if number < len(placed) else size
    if begin <= member.offset and member.end <= end:
        placed.insert(number, member)


def mend(
    path: Path,
    mended: Path,
    size: int,
    is_whole: IsWhole,
    fill: Fill,
    *,
    identify: Identify = lambda content, length: None,
    borders: Collection[int] = (),
    is_long: bool = True,
) -> list[Gap]:
    """Write to ``mended`` what a file that had ``size`` bytes still has, each member where it stood; the gaps.

    No filler crosses one of ``borders`` (offsets). The mended file has ``size`` bytes again where ``is_long``; else it
    ends soon behind its last whole member. A member beside a gap that no filler fits into is given up.
    """
    placed = _placed(path, size, is_whole, identify)
    while (misfit := _misfit(placed, size, fill, borders, is_long)) is not None:
        del placed[misfit]
    with path.open("rb") as source, mended.open("wb") as out:
        gaps = []
        for gap, member in _layout(placed, size, borders, is_long):
            if gap is not None:
                out.write(fill(gap))
                gaps.append(gap)
            if member is not None:
                source.seek(member.found)
                out.write(source.read(member.length))
    return gaps


def _layout(
    placed: list[_Placed], size: int, borders: Collection[int], is_long: bool
) -> Iterator[tuple[Gap | None, _Placed | None]]:
    """Gaps and members in the order of the mended file."""
    end = 0
    for member in placed:
        for gap in _gaps(end, member.offset, borders):
            yield gap, None
        yield None, member
        end = member.end
    if is_long:
        for gap in _gaps(end, size, borders):
            yield gap, None
    elif end < size:
        yield Gap(end, _TAIL, size - end), None


def _gaps(start: int, end: int, borders: Collection[int]) -> Iterator[Gap]:
    cuts = [start, *sorted(border for border in borders if start < border < end), end]
    for one, other in pairwise(cuts):
        if one < other:
            yield Gap(one, other - one, other - one)


def _misfit(placed: list[_Placed], size: int, fill: Fill, borders: Collection[int], is_long: bool) -> int | None:
    """Which member is to be given up, being beside a gap too small for a filler: the one behind it, or the last."""
    number = 0
    for gap, member in _layout(placed, size, borders, is_long):
        number += member is not None
        if gap is not None:
            try:
                fill(Gap(gap.offset, min(gap.length, _LEAST), gap.lost))
            except MalformedRecord:
                if not placed:
                    raise
                return min(number, len(placed) - 1)
    return None


def blank_line(gap: Gap) -> bytes:
    """A gap in a journal as one member."""
    return _stored(gap, lambda size: b" " * (size - 1) + b"\n")


def lost_record(name: str, date: str) -> Fill:
    """How gaps in a WARC of that name are filled: by a ``metadata`` record that says so, with that ``WARC-Date``."""

    def content(gap: Gap, size: int) -> bytes:
        identifier = uuid5(NAMESPACE_URL, f"{name}@{gap.offset}")
        head = (
            f"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{identifier}>\r\n"
            f"WARC-Date: {date}\r\n{LOST_FIELD}: {gap.lost}\r\nContent-Type: text/plain\r\n"
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
