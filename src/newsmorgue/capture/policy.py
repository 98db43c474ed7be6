"""What a site asks of archives, read from an answer before anything of it reaches a disk."""

import re
from dataclasses import dataclass

from isal import isal_zlib

from newsmorgue.archive.capture import HTML_TYPES
from newsmorgue.archive.exchange import HttpHead

FIRST = 1 << 16
_META = re.compile(rb"<meta\b[^>]*>", re.I)
_NAME = re.compile(rb"\bname\s*=\s*[\"']?\s*(robots|newsmorgue|tdm-reservation)\s*(?=[\"'\s/>])", re.I)
_CONTENT = re.compile(rb"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I)
_BOT = re.compile(r"^([a-z0-9_-]+)\s*:\s*(.*)$", re.I)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The site does not want this kept. ``reason`` is ``noarchive`` or ``tdm-reservation``, ``where`` says where."""

    reason: str
    where: str


def refusal(head: HttpHead, body: bytes) -> Refusal | None:
    """What header fields and the first 64 KiB of an entity (as received) say against keeping it, or None.

    Read are ``X-Robots-Tag`` and ``<meta name=robots>`` with ``noarchive`` (for all robots or for newsmorgue), and
    the TDM Reservation Protocol's header field and meta element (W3C community group report, 2024).
    """
    for value in head.all("x-robots-tag"):
        if _forbids_archiving(value):
            return Refusal("noarchive", "X-Robots-Tag")
    if (head.get("tdm-reservation") or "").strip() == "1":
        return Refusal("tdm-reservation", "header")
    if head.media_type in HTML_TYPES:
        return _refusal_in_html(_beginning(body, head.get("content-encoding")))
    return None


def _forbids_archiving(value: str) -> bool:
    """Directives stand in a comma-separated list; a name and a colon before them bind what follows to that robot."""
    robot = "*"
    for part in value.split(","):
        named = _BOT.match(part.strip())
        if named and named.group(1).lower() not in (
            "unavailable_after",
            "max-snippet",
            "max-image-preview",
            "max-video-preview",
        ):
            robot, part = named.group(1).lower(), named.group(2)
        if part.strip().lower() == "noarchive" and robot in ("*", "newsmorgue"):
            return True
    return False


def _refusal_in_html(beginning: bytes) -> Refusal | None:
    for tag in _META.findall(beginning):
        name, content = _NAME.search(tag), _CONTENT.search(tag)
        if not name or not content:
            continue
        value = next(group for group in content.groups() if group is not None).decode("latin-1")
        if name.group(1).lower() == b"tdm-reservation":
            if value.strip() == "1":
                return Refusal("tdm-reservation", "meta")
        elif "noarchive" in re.split(r"[\s,]+", value.lower()):
            return Refusal("noarchive", "meta")
    return None


def _beginning(body: bytes, coding: str | None) -> bytes:
    """The first 64 KiB of a body, decompressed; of a damaged or unknown coding what can be read, perhaps nothing."""
    if not coding or coding.strip().lower() == "identity":
        return body[:FIRST]
    bits = {"gzip": 31, "x-gzip": 31, "deflate": 15}.get(coding.strip().lower())
    if bits is None:
        return b""
    try:
        return bytes(isal_zlib.decompressobj(bits).decompress(body, FIRST))
    except isal_zlib.error:
        return b""
