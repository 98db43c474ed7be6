"""The catalogue from the objects alone: CDXJ and journals replayed, nothing cleaned."""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import OPEN, REPLACED, SEALED, SEALING, Archive
from newsmorgue.archive.cdxj import read_cdxj
from newsmorgue.archive.events import AliasAdded, Entry, StoryBegun, VersionAdded
from newsmorgue.archive.index import capture_from_cdx
from newsmorgue.archive.journal import Place, entries
from newsmorgue.archive.manifests import Manifest, Part, journal_parts, parse_manifest, stored_manifests
from newsmorgue.archive.presence import MANIFESTS, require_present, require_something
from newsmorgue.archive.recovery import cut_to_whole, spooled_captures, state_in_store
from newsmorgue.archive.replay import add_capture, apply, insert_moves
from newsmorgue.archive.spool import JOURNAL_SUFFIX, SpoolFile, object_keys, source_of
from newsmorgue.errors import Busy, CatalogueUnavailable, IntegrityFailure, MalformedRecord
from newsmorgue.times import from_iso, microseconds

# More commits than all machines make in a year between two sealings, at one a second each.
_UNSEEN = 10**9


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a reindex made: files read, captures, events replayed.

    ``elsewhere`` are the files that the catalogue knew in the spools of other machines: the host, and how many.
    """

    files: int
    captures: int
    events: int
    elsewhere: tuple[tuple[str, int], ...] = ()


def reindex(archive: Archive, *, replace: bool, missing_is_lost: bool = False) -> Rebuilt:
    """Fill the archive's catalogue from the store and this machine's spool, in one transaction.

    A catalogue that holds something is refused, or (``replace``) emptied first. Raises :class:`CatalogueUnavailable`,
    :class:`Busy` where a process holds a spool file, :class:`MalformedRecord` for an object that cannot be read,
    :class:`StoreUnavailable` where most manifests of a folder are missing that the catalogue has copies of, unless that
    ``missing_is_lost``.
    """
    if replace:
        require_something(archive)
    if replace and not missing_is_lost:
        require_present(archive, (MANIFESTS,))
    with ExitStack() as stack, archive.catalogue.write() as connection:
        before = {row.name: row.value for row in connection.execute(sa.select(schema.counters))}
        elsewhere = _elsewhere(connection, archive)
        _empty(connection, archive, replace)
        manifests = [(parse_manifest(data, key), data) for key, data in stored_manifests(archive.store)]
        moved = {item.name for manifest, _ in manifests for item in manifest.replaces}
        for manifest, data in manifests:
            _register_sealed(connection, manifest, data, REPLACED if manifest.name in moved else SEALED)
        stored = {manifest.name: manifest for manifest, _ in manifests}
        sealed = [manifest for manifest in stored.values() if manifest.name not in moved]
        spooled = [_hold(archive, stack, name) for name in archive.spool.names() if name not in stored]
        captures = sum(_index_stored(connection, archive, manifest) for manifest in sealed)
        captures += sum(_index_spooled(connection, archive, file) for file in spooled)
        events, last, begun = 0, 0, set[str]()
        for place, entry in _in_order(archive, sealed, stored, spooled):
            _begin_lost_story(connection, begun, entry, place)
            apply(connection, entry, place)
            events, last = events + 1, entry.seq
        names = [*stored, *(file.name for file in spooled)]
        _set_counters(connection, before, last, names)
    return Rebuilt(len(sealed) + len(spooled), captures, events, elsewhere)


def _elsewhere(connection: sa.Connection, archive: Archive) -> tuple[tuple[str, int], ...]:
    """How many files each other machine holds: this one cannot read them, and the machine registers them anew."""
    c = schema.files.c
    held = sa.select(c.host, sa.func.count()).where(c.host != archive.host, c.state.in_((OPEN, SEALING)))
    return tuple((host, count) for host, count in connection.execute(held.group_by(c.host).order_by(c.host)))


def _begin_lost_story(connection: sa.Connection, begun: set[str], entry: Entry, place: Place) -> None:
    """A story whose beginning was lost with a damaged journal begins with the first alias or version that is left."""
    event = entry.event
    if isinstance(event, StoryBegun):
        begun.add(event.story)
    elif isinstance(event, AliasAdded | VersionAdded) and event.story not in begun:
        url = event.url if isinstance(event, AliasAdded) else str(event.article["url"])
        begun.add(event.story)
        apply(connection, replace(entry, event=StoryBegun(event.story, source_of(place.journal), url)), place)


def _empty(connection: sa.Connection, archive: Archive, replace: bool) -> None:
    full = connection.execute(sa.select(schema.files.c.name).limit(1)).first()
    if full and not replace:
        raise CatalogueUnavailable(
            f"catalogue {archive.catalogue.url.render_as_string()} is not empty; give an empty one by 'catalogue' or "
            "MORGUE_CATALOGUE, or add --replace to rebuild this one"
        )
    for table in schema.metadata.sorted_tables:
        # That the operator was told something stays true, and so does which run is at a source.
        if table not in (schema.health, schema.holds):
            connection.execute(sa.delete(table))


def _register_sealed(connection: sa.Connection, manifest: Manifest, data: bytes, state: str) -> None:
    keys = object_keys(manifest.name)
    values: dict[str, Any] = {"name": manifest.name, "source": manifest.source, "host": "", "state": state}
    values |= {"opened_at": microseconds(from_iso(manifest.opened_at)), "manifest": data.decode()}
    lengths = {
        "warc_length": manifest.size_of(keys.warc),
        "journal_length": manifest.size_of(keys.journal),
        "chain_position": manifest.position,
    }
    connection.execute(sa.insert(schema.files).values(**values, **lengths))
    insert_moves(connection, manifest)


def _hold(archive: Archive, stack: ExitStack, name: str) -> SpoolFile:
    file = archive.spool.lock(name)
    if file is None:
        raise Busy(f"{archive.spool.folder}: another process writes {name}; stop it, then reindex")
    return stack.enter_context(file)


def _index_stored(connection: sa.Connection, archive: Archive, manifest: Manifest) -> int:
    count, key = 0, object_keys(manifest.name).cdxj
    with archive.store.open(key) as stream:
        for line in read_cdxj(stream, key):
            add_capture(connection, capture_from_cdx(line))
            count += 1
    return count


def _index_spooled(connection: sa.Connection, archive: Archive, file: SpoolFile) -> int:
    cut_to_whole(file)
    with file.journal_path.open("rb") as stream:
        began = next((entry.at for _, entry in entries(stream, file.name)), None)
    archive.insert_file(connection, file, state_in_store(archive, file), microseconds(began) if began else 0)
    count = 0
    for capture in spooled_captures(file, 0):
        add_capture(connection, capture)
        count += 1
    return count


def _in_order(
    archive: Archive, sealed: list[Manifest], stored: dict[str, Manifest], spooled: list[SpoolFile]
) -> Iterator[tuple[Place, Entry]]:
    """All journals' entries by commit and line. A journal is opened only when the first of its commits comes up."""
    parts = [(part, manifest.name) for manifest in sealed for part in journal_parts(manifest, stored)]
    waiting = [(part.first_seq, name, part) for part, name in parts if part.first_seq is not None]
    for file in spooled:
        with file.journal_path.open("rb") as stream:
            whole = Part(None, 0, file.journal_length)
            waiting += [(entry.seq, file.name, whole) for _, entry in entries(stream, file.name)][:1]
    heap: list[tuple[int, int, str, Place, Entry, Iterator[tuple[Place, Entry]]]] = []
    waiting.sort(key=lambda one: one[:2], reverse=True)
    while heap or waiting:
        while waiting and (not heap or waiting[-1][0] <= heap[0][0]):
            _push(heap, _journal(archive, *waiting.pop()[1:]))
        *_, place, entry, rest = heapq.heappop(heap)
        yield place, entry
        _push(heap, rest)


def _push(
    heap: list[tuple[int, int, str, Place, Entry, Iterator[tuple[Place, Entry]]]],
    journal: Iterator[tuple[Place, Entry]],
) -> None:
    following = next(journal, None)
    if following is not None:
        place, entry = following
        heapq.heappush(heap, (entry.seq, entry.line, place.journal, place, entry, journal))


def _journal(archive: Archive, name: str, part: Part) -> Iterator[tuple[Place, Entry]]:
    path = archive.spool.path(name, JOURNAL_SUFFIX)
    if path.exists():
        with path.open("rb") as stream:
            yield from entries(stream, name)
        return
    key = object_keys(name).journal
    try:
        data = archive.store.get_range(key, part.offset, part.length)
    except IntegrityFailure as error:
        raise MalformedRecord(f"{key}@{part.offset}: the journal is cut; run 'morgue verify'") from error
    yield from entries(BytesIO(data), name, part.offset)


def _set_counters(connection: sa.Connection, before: dict[str, int], last: int, names: list[str]) -> None:
    """Number on behind all that was ever given out, also to what other machines have not sealed yet.

    Where nothing tells how far that is, far behind what could be seen: events are replayed by their commit's number,
    and none is to be given out twice.
    """
    files = max((int(name.rpartition("-")[2]) for name in names), default=0)
    commits = max(last, before["commits"]) if "commits" in before else (last + _UNSEEN if last else 0)
    for name, value in (("commits", commits), ("files", max(files, before.get("files", 0)))):
        connection.execute(sa.insert(schema.counters).values(name=name, value=value))
