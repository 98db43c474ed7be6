"""WARCs and WACZs of other makers, read as streams, as far as they can be read.

A WARC may be plain, one gzip member a record, or gzip in any other way. What is damaged is named with its place and
passed over; reading goes on at the next record that can be found.
"""

import hashlib
import re
import zipfile
import zlib
from base64 import b16decode, b32decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

LARGEST_RECORD = 128 << 20
_LARGEST_HEADER = 1 << 20
# Deflate makes at most 1,032 bytes of one: so no step takes more than 16 MiB.
_FEED = 1 << 14
_READ = 1 << 20
_GZIP = b"\x1f\x8b\x08"
_RECORD = b"WARC/"
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_FOLDED = re.compile(rb"\r?\n[ \t]+")
# WACZ 1.1.1 keeps WARCs in this folder, stored, not deflated; a WARC that is deflated twice shrinks a little more.
_IN_WACZ = re.compile(r"archive/[^/]+\.warc(\.gz)?", re.I)
_MOST_ENTRIES = 10_000
_BOMB_RATIO = 200
# Records that say more of another one.
DESCRIBING = ("metadata", "resource")
_ISAL_ERROR: type[Exception] = isal_zlib.IsalError
Count = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """A record as another tool wrote it. ``where`` is ``FILE@OFFSET``, with ``+N`` within a larger gzip member."""

    where: str
    fields: tuple[tuple[str, str], ...]
    block: bytes

    def get(self, name: str) -> str | None:
        """A field's first value, whatever the case of its name."""
        return next((value for field, value in self.fields if field.lower() == name), None)

    @property
    def kind(self) -> str:
        """``WARC-Type``."""
        return (self.get("warc-type") or "").lower()

    @property
    def goes_with(self) -> frozenset[str]:
        """The ids of the records that it was made with (``WARC-Concurrent-To``, which may be given more than once), or
        that it describes. What a revisit refers to is another thing: it has that one's payload.
        """
        naming = ("warc-concurrent-to", "warc-refers-to") if self.kind in DESCRIBING else ("warc-concurrent-to",)
        return frozenset(value for field, value in self.fields if field.lower() in naming)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that could not be taken: its place, and why."""

    where: str
    what: str


def read_foreign(path: Path, count: Count = lambda _: None) -> Iterator[ForeignRecord | Skipped]:
    """Every record of a WARC, or of the WARCs in a WACZ. ``count`` hears how many bytes of the file were read."""
    with path.open("rb") as stream:
        is_zip = stream.read(4) == b"PK\x03\x04"
        stream.seek(0)
        if is_zip:
            yield from _in_wacz(stream, path.name, count)
        elif _holds_nothing(stream):
            count(path.stat().st_size)
            yield Skipped(path.name, "is neither a WARC nor a WACZ" if path.stat().st_size else "is empty")
        else:
            yield from read_warc(_Counted(stream, count), path.name)


def _holds_nothing(stream: BinaryIO) -> bool:
    """Whether a file has not even the beginning of a record or of a gzip member; else it is read from its beginning."""
    kept = b""
    while data := stream.read(_READ):
        if _RECORD in kept + data or _GZIP in kept + data:
            stream.seek(0)
            return False
        kept = data[-len(_RECORD) :]
    return True


def _in_wacz(stream: BinaryIO, name: str, count: Count) -> Iterator[ForeignRecord | Skipped]:
    try:
        with zipfile.ZipFile(stream) as package:
            entries = _warcs_in(package)
            if not entries:
                yield Skipped(name, "a ZIP file without a WARC in its folder 'archive'")
            for entry in entries:
                where = f"{name}!{entry.filename}"
                if entry.file_size > _BOMB_RATIO * max(entry.compress_size, 1):
                    yield Skipped(where, f"claims to unpack {entry.compress_size} bytes to {entry.file_size}")
                    continue
                yield from _entry(package, entry, where, count)
    except zipfile.BadZipFile:
        yield Skipped(name, "not a whole ZIP file; what it still has of a WARC is taken")
        yield from _in_broken_zip(_Counted(stream, count), name)
    except (NotImplementedError, ValueError) as error:
        yield Skipped(name, f"a ZIP file that cannot be read: {error}")


def _in_broken_zip(stream: "_Counted", name: str) -> Iterator[ForeignRecord | Skipped]:
    """The list of a ZIP's files is its end. A packed WARC stands in a WACZ as it is, and shows where it begins."""
    cutter, begin = _Cutter(name, is_packed=True), _next_member(stream, 0)
    for piece in _unpacked(stream, begin):
        yield from cutter.take(piece)
    yield from cutter.finish()


def _warcs_in(package: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = package.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise ValueError(f"{len(entries)} entries, at most {_MOST_ENTRIES} are read")
    return [entry for entry in entries if _IN_WACZ.fullmatch(entry.filename)]


def _entry(
    package: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str, count: Count
) -> Iterator[ForeignRecord | Skipped]:
    try:
        with package.open(entry) as stream:
            yield from read_warc(_Counted(stream, count), where)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        yield Skipped(where, f"damaged within the ZIP file: {error}")


class _Counted:
    """A stream that says how much of it was read."""

    def __init__(self, stream: object, count: Count) -> None:
        self._stream: BinaryIO = stream  # type: ignore[assignment]  # a ZIP entry reads like a file
        self._count = count

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._count(len(data))
        return data

    def seek(self, offset: int) -> None:
        self._stream.seek(offset)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Uncompressed bytes of the gzip member (or plain file) at ``offset``, and what happened there."""

    offset: int
    data: bytes = b""
    begins: bool = False
    ends: bool = False
    damage: str | None = None


def read_warc(stream: _Counted, name: str) -> Iterator[ForeignRecord | Skipped]:
    """Every record of one WARC, whole ones as they are, the others as what is wrong with them."""
    first = stream.read(len(_GZIP))
    stream.seek(0)
    is_packed = first.startswith(_GZIP[:2]) or name.lower().endswith(".gz")
    cutter = _Cutter(name, is_packed)
    for piece in _unpacked(stream) if is_packed else _plain(stream):
        yield from cutter.take(piece)
    yield from cutter.finish()


def _plain(stream: _Counted) -> Iterator[_Piece]:
    while data := stream.read(_READ):
        yield _Piece(0, data)


def _unpacked(stream: _Counted, offset: int | None = 0) -> Iterator[_Piece]:
    """A gzip file's pieces from ``offset`` on; after a damaged member, from the next that begins with a record."""
    while offset is not None:
        stream.seek(offset)
        damaged = None
        for piece in _members(stream, offset):
            yield piece
            damaged = piece.offset if piece.damage else None
        offset = None if damaged is None else _next_member(stream, damaged + 1)


def _members(stream: _Counted, start: int) -> Iterator[_Piece]:
    """Member after member, to the end of the file or the first damage, which is the last piece."""
    pending = stream.read(_FEED)
    while pending:
        offset, decompressor = start, isal_zlib.decompressobj(31)
        yield _Piece(offset, begins=True)
        while not decompressor.eof:
            if not pending:
                yield _Piece(offset, damage="the file ends within this gzip member")
                return
            try:
                data = decompressor.decompress(pending)
            except _ISAL_ERROR as error:
                yield _Piece(offset, damage=f"damaged gzip member ({error})")
                return
            start += len(pending) - len(decompressor.unused_data)
            pending = decompressor.unused_data or stream.read(_FEED)
            yield _Piece(offset, data)
        yield _Piece(offset, ends=True)


def _next_member(stream: _Counted, start: int) -> int | None:
    """Where the next gzip member that begins with a record stands, at or after ``start``."""
    stream.seek(start)
    window, base = stream.read(_READ), start
    while window:
        found = window.find(_GZIP)
        while found >= 0:
            if found + _FEED > len(window):
                window += stream.read(_READ)
            if _begins_with_record(window[found : found + _FEED]):
                return base + found
            found = window.find(_GZIP, found + 1)
        more = stream.read(_READ)
        kept = window[-len(_GZIP) + 1 :] if more else b""
        base, window = base + len(window) - len(kept), kept + more
    return None


def _begins_with_record(data: bytes) -> bool:
    try:
        return bytes(isal_zlib.decompressobj(31).decompress(data)).startswith(_RECORD)
    except _ISAL_ERROR:
        # The member may be the next damaged one: its beginning alone says what it is.
        try:
            return bytes(isal_zlib.decompressobj(31).decompress(data[:512])).startswith(_RECORD)
        except _ISAL_ERROR:
            return False


class _Cutter:
    """Cuts a stream of pieces into records. A whole record is given out once its gzip member has ended well, or
    another record of that member has."""

    def __init__(self, name: str, is_packed: bool) -> None:
        self._name = name
        self._is_packed = is_packed
        self._buffer = bytearray()
        self._member = 0
        self._position = 0  # of the buffer's first byte, within the member or the plain file
        self._garbage: tuple[str, int] | None = None  # where it began, its bytes so far
        self._discard = 0
        self._header: tuple[tuple[tuple[str, str], ...], int, int] | None = None
        self._held: ForeignRecord | None = None
        self._begun: int | None = None  # the member whose first bytes come next

    def take(self, piece: _Piece) -> Iterator[ForeignRecord | Skipped]:
        """What a further piece makes whole, or shows to be damaged."""
        if piece.damage:
            yield from self._damaged(piece)
        elif piece.begins:
            self._begun = piece.offset
        elif piece.ends:
            yield from self._released()
        else:
            yield from self._come_to_member(piece.data) if self._begun is not None else ()
            self._buffer += piece.data
            yield from self._whole()

    def finish(self) -> Iterator[ForeignRecord | Skipped]:
        """What is left at the end of the file."""
        yield from self._released()
        yield from self._told_garbage()
        yield from self._given_up("the file ends within this record") if self._buffer.strip(b"\r\n") else ()

    def _come_to_member(self, data: bytes) -> Iterator[Skipped]:
        """A gzip member begins: with a record, nearly always; else it goes on with what the one before began."""
        if data.startswith(_RECORD) or not self._buffer.strip(b"\r\n"):
            yield from self._given_up("ends before the length that it states") if self._buffer.strip(b"\r\n") else ()
            self._buffer.clear()
            self._member, self._position = self._begun or 0, 0
        self._begun = None

    def _whole(self) -> Iterator[ForeignRecord | Skipped]:
        while (item := self._cut()) is not None:
            if isinstance(item, Skipped):
                yield item
            else:
                yield from self._released()
                self._held = item

    def _released(self) -> Iterator[ForeignRecord]:
        held, self._held = self._held, None
        if held is not None:
            yield held

    def _damaged(self, piece: _Piece) -> Iterator[Skipped]:
        yield from self._told_garbage()
        where = self._held.where if self._held else f"{self._name}@{piece.offset}"
        yield Skipped(where, piece.damage or "")
        self._held, self._discard, self._header = None, 0, None
        self._buffer.clear()

    def _given_up(self, why: str) -> Iterator[Skipped]:
        """Drop what is in the buffer."""
        yield from self._told_garbage()
        yield Skipped(self._where(), why)
        self._header, self._discard = None, 0
        self._buffer.clear()

    def _where(self) -> str:
        if not self._is_packed:
            return f"{self._name}@{self._position}"
        return f"{self._name}@{self._member}" + (f"+{self._position}" if self._position else "")

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._position += count

    def _cut(self) -> ForeignRecord | Skipped | None:
        """The next record or problem in the buffer; None where more bytes are needed."""
        if self._discard:
            count = min(self._discard, len(self._buffer))
            self._discard -= count
            self._drop(count)
        if self._header is None:
            problem = self._find_header()
            if problem is not None or self._header is None:
                return problem
        fields, start, length = self._header
        if length > LARGEST_RECORD:
            where, self._discard, self._header = self._where(), start + length, None
            return Skipped(where, f"a record of {length} bytes; at most {LARGEST_RECORD} are read")
        if len(self._buffer) < start + length:
            return None
        record = ForeignRecord(self._where(), fields, bytes(self._buffer[start : start + length]))
        self._header = None
        self._drop(start + length)
        return record

    def _find_header(self) -> Skipped | None:
        """Come to the next record's header; what stands before it is no record."""
        if self._garbage is None:
            self._drop(len(self._buffer) - len(self._buffer.lstrip(b"\r\n")))
        if not _RECORD.startswith(bytes(self._buffer[:5])):
            return self._pass_garbage(0)
        if self._garbage is not None and len(self._buffer) >= len(_RECORD):
            return next(self._told_garbage())
        found = _END_OF_HEADER.search(self._buffer, 0, _LARGEST_HEADER)
        if found is None:
            return self._pass_garbage(1) if len(self._buffer) >= _LARGEST_HEADER else None
        fields = _parse_fields(bytes(self._buffer[: found.start()]))
        length = next((value for name, value in fields if name.lower() == "content-length"), "")
        if not re.fullmatch(r"[0-9]{1,18}", length):
            return self._pass_garbage(1)
        self._header = (fields, found.end(), int(length))
        return None

    def _pass_garbage(self, least: int) -> Skipped | None:
        """Go to where a record may begin; None always, but for a place at which one surely does."""
        where, count = self._garbage or (self._where(), 0)
        found = self._buffer.find(_RECORD, least)
        dropped = found if found >= 0 else max(len(self._buffer) - len(_RECORD) + 1, least)
        dropped = min(dropped, len(self._buffer))
        self._drop(dropped)
        self._garbage = (where, count + dropped)
        return next(self._told_garbage()) if found >= 0 else None

    def _told_garbage(self) -> Iterator[Skipped]:
        garbage, self._garbage = self._garbage, None
        if garbage is not None:
            yield Skipped(garbage[0], f"{garbage[1]} bytes that are no record")


def _parse_fields(header: bytes) -> tuple[tuple[str, str], ...]:
    lines = _FOLDED.sub(b" ", header).split(b"\n")[1:]
    pairs = (line.rstrip(b"\r").partition(b":") for line in lines)
    return tuple((_text(name.strip()), _text(value.strip())) for name, colon, value in pairs if colon)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def digest_differs(stated: str | None, data: bytes) -> bool:
    """Whether a digest field (``sha1:``, ``sha256:`` or ``md5:`` in base 32 or hexadecimal) contradicts the bytes.

    One that cannot be read contradicts nothing.
    """
    algorithm, _, value = (stated or "").partition(":")
    if algorithm.lower() not in ("sha1", "sha256", "md5"):
        return False
    found = hashlib.new(algorithm.lower(), data, usedforsecurity=False).digest()
    try:
        if len(value) == 2 * len(found):
            return b16decode(value.upper()) != found
        return b32decode(value.upper() + "=" * (-len(value) % 8)) != found
    except ValueError:
        return False
