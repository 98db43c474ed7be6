"""Manifests: what each sealing stored, with sizes and SHA-256, in one hash chain a source."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from newsmorgue.archive.spool import object_keys
from newsmorgue.archive.store import Store
from newsmorgue.errors import MalformedRecord

FORMAT = "newsmorgue manifest 1"
FOLDER = "manifests/"


@dataclass(frozen=True, slots=True)
class Described:
    """An object as its manifest has it: ``sha256`` in hexadecimal, ``size`` in bytes."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One sealing. ``position`` counts from 1 in the source's chain, ``previous`` is the SHA-256 of the one before.

    ``first_seq`` is the number of the first commit in the journal, None where the journal is empty. ``opened_at`` and
    ``sealed_at`` are ISO 8601. ``replaces`` names those whose intact records this one took over, after damage.
    """

    name: str
    source: str
    position: int
    previous: str | None
    opened_at: str
    sealed_at: str
    first_seq: int | None
    objects: tuple[Described, ...]
    replaces: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """The object's bytes."""
        described = [{"key": item.key, "size": item.size, "sha256": item.sha256} for item in self.objects]
        fields = {"name": self.name, "source": self.source, "position": self.position, "previous": self.previous}
        times = {"opened_at": self.opened_at, "sealed_at": self.sealed_at, "first_seq": self.first_seq}
        replaces = {"replaces": list(self.replaces)} if self.replaces else {}
        document = {"format": FORMAT} | fields | times | replaces | {"objects": described}
        return (json.dumps(document, indent=1) + "\n").encode()


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest. Raises :class:`MalformedRecord` naming ``where``."""
    try:
        read: dict[str, Any] = json.loads(data)
        if read["format"] != FORMAT:
            raise ValueError(f"format {read['format']!r}")
        objects = tuple(Described(item["key"], int(item["size"]), item["sha256"]) for item in read["objects"])
        _require_keys(read["name"], objects)
        names = ("name", "source", "position", "previous", "opened_at", "sealed_at", "first_seq")
        replaces = tuple(str(name) for name in read.get("replaces", ()))
        return Manifest(**{name: read[name] for name in names}, objects=objects, replaces=replaces)
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedRecord(f"{where}: not a manifest ({error!r}); run 'morgue verify'") from error


def _require_keys(name: str, objects: tuple[Described, ...]) -> None:
    keys = object_keys(name)
    if [described.key for described in objects] != [keys.warc, keys.cdxj, keys.journal]:
        raise ValueError(f"objects that are not those of {name}")


def stored_manifests(store: Store) -> Iterator[tuple[str, bytes]]:
    """The key and bytes of every manifest in the store."""
    for info in store.list(FOLDER):
        yield info.key, store.get(info.key)


def link(data: bytes) -> str:
    """What the next manifest of the chain calls this one."""
    return hashlib.sha256(data).hexdigest()
