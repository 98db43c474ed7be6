"""What is whole in a damaged file of gzip members."""

import mmap
from collections.abc import Callable, Iterator
from pathlib import Path

from isal import igzip_lib, isal_zlib

from newsmorgue.archive.events import decode
from newsmorgue.archive.warc import parse_record
from newsmorgue.errors import MalformedRecord

# RFC 1952 §2.3.1: the two identifying bytes, and the one method there is.
_MAGIC = b"\x1f\x8b\x08"
_GZIP = 31  # zlib's window bits for one gzip member
_CHUNK = 1 << 16
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
