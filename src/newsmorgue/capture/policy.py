"""What a site asks of archives, read from an answer before anything of it reaches a disk."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from newsmorgue.archive.capture import HTML_TYPES
from newsmorgue.archive.exchange import HttpHead
from newsmorgue.capture.entity import EntityTooLarge, MalformedEntity, entity_pieces

# The largest answer that is kept; of one that unpacks to more, what stands behind is no head.
_LONGEST_HEAD = 16 << 20
# What is read of a DOM that a browser made as of an answer.
DOM_HEAD = HttpHead(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
_BODY = b"<body"
_META = re.compile(rb"<meta\b[^>]*>", re.I)
_NAME = re.compile(rb"\bname\s*=\s*[\"']?\s*(robots|newsmorgue|tdm-reservation)\s*(?=[\"'\s/>])", re.I)
_CONTENT = re.compile(rb"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.I)
_BOT = re.compile(r"^([a-z0-9_-]+)\s*:\s*(.*)$", re.I)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a site asks for an answer. ``reason`` is ``noarchive``, ``tdm-reservation`` or ``ai``, ``where`` says where.

    ``ai``: robots.txt shuts out crawlers that gather for language models, by name. That is kept on record alone, since
    this is none of them.
    """

    reason: str
    where: str

    @property
    def is_reserved(self) -> bool:
        """Whether the source's policy decides what is kept."""
        return self.reason != AI


TDM, AI = "tdm-reservation", "ai"
_REASONS = ("noarchive", TDM, AI)
_SPELLED = re.compile(rf"({'|'.join(_REASONS)}) \((.*)\)")


def spelled(marks: Collection[Mark]) -> str | None:
    """Marks as a capture's ``reserved``; None where there are none.

    >>> spelled([Mark("noarchive", "meta"), Mark("ai", "robots.txt: CCBot, GPTBot")])
    'noarchive (meta); ai (robots.txt: CCBot, GPTBot)'
    """
    ordered = sorted(marks, key=lambda mark: _REASONS.index(mark.reason))
    return "; ".join(f"{mark.reason} ({mark.where})" for mark in ordered) or None


def unspelled(reserved: str | None) -> tuple[Mark, ...]:
    """The marks in a capture's ``reserved``: what :func:`spelled` made of them.

    >>> unspelled("tdm-reservation (tdmrep.json)")
    (Mark(reason='tdm-reservation', where='tdmrep.json'),)
    """
    found = (_SPELLED.fullmatch(part) for part in (reserved or "").split("; "))
    return tuple(Mark(match[1], match[2]) for match in found if match)


def refusal(head: HttpHead, body: bytes) -> Mark | None:
    """The first mark of an answer by which it is reserved, or None."""
    return next((mark for mark in marks_of(head, body) if mark.is_reserved), None)


def marks_of(head: HttpHead, body: bytes) -> tuple[Mark, ...]:
    """What header fields and the head of a page (in its entity as received) say against keeping it.

    Read are ``X-Robots-Tag`` and ``<meta name=robots>`` with ``noarchive`` (for all robots or for newsmorgue), and
    the TDM Reservation Protocol's header field and meta element (W3C community group report, 2024).
    """
    found: list[Mark] = []
    if any(map(_forbids_archiving, head.all("x-robots-tag"))):
        found.append(Mark("noarchive", "X-Robots-Tag"))
    if (head.get("tdm-reservation") or "").strip() == "1":
        found.append(Mark(TDM, "header"))
    if head.media_type in HTML_TYPES:
        found += _marks_in_html(_beginning(body, head.get("content-encoding")))
    return tuple(found)


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


def _marks_in_html(beginning: bytes) -> list[Mark]:
    lowered = beginning.lower()
    if not any(word in lowered for word in (b"noarchive", b"tdm-reservation")):
        return []  # as on nearly every page; looking at each meta element takes longer than all the rest
    return list(dict.fromkeys(filter(None, map(_mark_in_tag, _META.findall(beginning)))))


def _mark_in_tag(tag: bytes) -> Mark | None:
    name, content = _NAME.search(tag), _CONTENT.search(tag)
    if not name or not content:
        return None
    value = next(group for group in content.groups() if group is not None).decode("latin-1")
    if name.group(1).lower() == b"tdm-reservation":
        return Mark(TDM, "meta") if value.strip() == "1" else None
    return Mark("noarchive", "meta") if "noarchive" in re.split(r"[\s,]+", value.lower()) else None


def _beginning(body: bytes, coding: str | None) -> bytes:
    """A body up to where the page's own begins, without codings; of a damaged one what can be read, and the bytes as
    they came: they may be the page itself, under a coding that it does not have.

    Without NUL: of ASCII in UTF-16 that leaves ASCII.
    """
    beginning = b""
    try:
        for piece in entity_pieces(body, coding, _LONGEST_HEAD):
            overlap = max(0, len(beginning) - len(_BODY))
            beginning += piece.replace(b"\0", b"")
            if _BODY in beginning[overlap:].lower():
                break
    except (MalformedEntity, EntityTooLarge):
        beginning += body[:_LONGEST_HEAD]
    return beginning
