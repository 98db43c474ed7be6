"""When two texts are the same version, and the rows of a story's versions."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.journal import Place
from newsmorgue.archive.statements import find, find_all
from newsmorgue.cleaning import Article
from newsmorgue.times import from_microseconds

# What no reader sees: zero-width characters, soft hyphens, byte order marks, direction marks.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


def normal_form(text: str | None) -> str:
    """A text as versions compare it: NFC, without invisible characters, white space folded.

    >>> normal_form("a\\u00a0 b\\u200b\\n c")
    'a b c'
    """
    text = text or ""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return " ".join(text.split())


def text_digest(article: Article) -> str:
    """``sha256:`` and hex of the normal forms of headline, summary and body. Equal digests are one version."""
    parts = [normal_form(article.headline), normal_form(article.summary), normal_form(article.text)]
    return (
        "sha256:" + hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
    )


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version of a story. ``number`` counts from 1 in the order of first sightings.

    ``place`` and ``digest`` are those of the text under the newest reading it was cleaned under.
    """

    number: int
    id: str
    story: str
    first_seen: datetime
    last_seen: datetime
    sightings: int
    headline: str | None
    digest: str
    reading: str
    place: Place


def family(connection: sa.Connection, root: str) -> list[str]:
    """A story's id and those of all stories merged into it, at any depth."""
    found, fresh = [root], [root]
    while fresh:
        merged = [find_all(connection, schema.stories, ("id",), merged_into=story) for story in fresh]
        fresh = [row.id for rows in merged for row in rows]
        found += fresh
    return found


def root_of(connection: sa.Connection, story: str) -> str:
    """The story that a (perhaps merged) story is part of."""
    while (row := find(connection, schema.stories, ("merged_into",), id=story)) and row.merged_into:
        story = row.merged_into
    return story


def versions_of(connection: sa.Connection, root: str) -> list[VersionRow]:
    """A story's versions, in the order of their first sightings, each with its newest text."""
    rows = connection.execute(_statement(of_all=False), {"stories": family(connection, root)})
    return [_version_row(number, row) for number, row in enumerate(rows, 1)]


def all_versions(connection: sa.Connection, roots: Mapping[str, str]) -> dict[str, list[VersionRow]]:
    """The versions of every story at once, by root. ``roots`` says which root each story is part of."""
    found: dict[str, list[VersionRow]] = {}
    for row in connection.execute(_statement(of_all=True)):
        family_rows = found.setdefault(roots[row.story], [])
        family_rows.append(_version_row(len(family_rows) + 1, row))
    return found


@cache
def _statement(*, of_all: bool) -> sa.Select[Any]:
    """Versions with their sightings counted and their newest texts, in the order of first sightings: all, or those of
    the ``stories`` that are bound to it. Built once, as those of :mod:`newsmorgue.archive.statements`.
    """
    v, s, t = schema.versions, schema.sightings, schema.texts
    wanted = sa.select(v.c.id)
    if not of_all:
        wanted = wanted.where(v.c.story.in_(sa.bindparam("stories", expanding=True)))
    seen = sa.select(
        s.c.version,
        sa.func.min(s.c.at).label("first"),
        sa.func.max(s.c.at).label("last"),
        sa.func.count().label("times"),
    ).group_by(s.c.version)
    texts = sa.select(t.c.version, sa.func.max(t.c.seq).label("seq")).group_by(t.c.version)
    newest = texts.where(t.c.version.in_(wanted)).subquery()
    counted = seen.where(s.c.version.in_(wanted)).subquery()
    return (
        sa.select(v.c.id, v.c.story, counted.c.first, counted.c.last, counted.c.times, t)
        .join(counted, counted.c.version == v.c.id)
        .join(newest, newest.c.version == v.c.id)
        .join(t, (t.c.version == v.c.id) & (t.c.seq == newest.c.seq))
        .order_by(counted.c.first, v.c.id)
    )


def _version_row(number: int, row: Any) -> VersionRow:
    return VersionRow(
        number,
        row.id,
        row.story,
        from_microseconds(row.first),
        from_microseconds(row.last),
        row.times,
        row.headline,
        row.digest,
        row.reading,
        Place(row.journal, row.offset, row.length),
    )
