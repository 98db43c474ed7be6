"""Manifests: what each sealing stored, with sizes and SHA-256, in one hash chain a source."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.errors import IntegrityFailure, MalformedRecord

FORMAT = "newsmorgue manifest 1"
FOLDER = "manifests/"
# Why a manifest replaces others.
COMPACTED, REPAIRED = "compacted", "repaired"


@dataclass(frozen=True, slots=True)
class Described:
    """An object as its manifest has it: ``sha256`` in hexadecimal, ``size`` in bytes."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """A sealed file that is in another one now: where its WARC and its journal begin there.

    A compaction puts it there whole; a repair without what was damaged, of which a filler has the place.
    """

    name: str
    warc_offset: int
    journal_offset: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One sealing; or one compaction or repair, which ``replaces`` the files that it names, for that ``reason``.

    ``position`` counts from 1 in the source's chain, ``previous`` is the SHA-256 of the one before.

    ``first_seq`` is the number of the first commit in the journal, None where the journal is empty. ``opened_at`` and
    ``sealed_at`` are ISO 8601.
    """

    name: str
    source: str
    position: int
    previous: str | None
    opened_at: str
    sealed_at: str
    first_seq: int | None
    objects: tuple[Described, ...]
    replaces: tuple[Replaced, ...] = ()
    reason: str | None = None

    def to_json(self) -> bytes:
        """The object's bytes."""
        described = [{"key": item.key, "size": item.size, "sha256": item.sha256} for item in self.objects]
        fields = {"name": self.name, "source": self.source, "position": self.position, "previous": self.previous}
        times = {"opened_at": self.opened_at, "sealed_at": self.sealed_at, "first_seq": self.first_seq}
        whole = {"format": FORMAT} | fields | times | {"objects": described}
        if self.replaces:
            names = {"new": self.name, "reason": self.reason}
            offsets = [
                {"warc_offset": item.warc_offset, "journal_offset": item.journal_offset} for item in self.replaces
            ]
            olds = [{"old": item.name} for item in self.replaces]
            whole["replaced"] = [old | names | place for old, place in zip(olds, offsets, strict=True)]
        return (json.dumps(whole, indent=1) + "\n").encode()

    def size_of(self, key: str) -> int:
        """The size of one of its objects, in bytes."""
        return next(described.size for described in self.objects if described.key == key)


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest. Raises :class:`MalformedRecord` naming ``where``."""
    try:
        read: dict[str, Any] = json.loads(data)
        if read["format"] != FORMAT:
            raise ValueError(f"format {read['format']!r}")
        objects = tuple(Described(item["key"], int(item["size"]), item["sha256"]) for item in read["objects"])
        _require_keys(read["name"], objects)
        names = ("name", "source", "position", "previous", "opened_at", "sealed_at", "first_seq")
        replaced = read.get("replaced", [])
        moved = (Replaced(item["old"], int(item["warc_offset"]), int(item["journal_offset"])) for item in replaced)
        reason = replaced[0]["reason"] if replaced else None
        return Manifest(**{name: read[name] for name in names}, objects=objects, replaces=tuple(moved), reason=reason)
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedRecord(f"{where}: not a manifest ({error!r}); run 'morgue verify'") from error


def _require_keys(name: str, objects: tuple[Described, ...]) -> None:
    keys = object_keys(name)
    if [described.key for described in objects] != [keys.warc, keys.cdxj, keys.journal]:
        raise ValueError(f"objects that are not those of {name}")


def stored_manifests(store: Store) -> Iterator[tuple[str, bytes]]:
    """The key and bytes of every manifest in the store; of one that cannot be read, no bytes."""
    for info in store.list(FOLDER):
        try:
            yield info.key, store.get(info.key)
        except IntegrityFailure:
            yield info.key, b""


def readable_manifests(store: Store) -> list[Manifest]:
    """The manifests in the store that are ones."""
    found = []
    for key, data in stored_manifests(store):
        try:
            found.append(parse_manifest(data, key))
        except MalformedRecord:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a journal in which commits follow one another: that of one sealing. In bytes."""

    first_seq: int | None
    offset: int
    length: int


def journal_parts(manifest: Manifest, others: Mapping[str, Manifest], start: int = 0) -> Iterator[Part]:
    """The stretches of a manifest's journal; those of compacted files stand in the manifests that were replaced."""
    if not manifest.replaces:
        yield Part(manifest.first_seq, start, manifest.size_of(object_keys(manifest.name).journal))
    for item in manifest.replaces:
        yield from journal_parts(others[item.name], others, start + item.journal_offset)


def link(data: bytes) -> str:
    """What the next manifest of the chain calls this one."""
    return hashlib.sha256(data).hexdigest()
