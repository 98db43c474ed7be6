"""Whether the store is all there. A disk that is not mounted, or another bucket under the same name, looks like objects
that are lost: and what is taken for lost is replaced, put aside or forgotten.

So nothing is, where more than half of what should be in a folder of the store is not, unless the operator says that it
is lost. One object of many that is missing is damage.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import REPLACED, SEALED, Archive
from newsmorgue.archive.manifests import Manifest, parse_manifest, readable_manifests
from newsmorgue.archive.spool import object_keys
from newsmorgue.errors import StoreUnavailable

WARCS, JOURNALS, MANIFESTS = "warc/", "text/", "manifests/"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Absence:
    """A folder of the store in which most is missing."""

    folder: str
    missing: int
    named: int

    def __str__(self) -> str:
        return f"{self.folder}: {self.missing} of {self.named} objects are missing"


def absences(archive: Archive, kinds: tuple[str, ...] = (WARCS, JOURNALS, MANIFESTS)) -> list[Absence]:
    """The folders in which more than half is missing of what catalogue and manifests name."""
    there = {info.key for info in archive.store.list()}
    sealed = _copies(archive, SEALED, REPLACED)
    manifests = {manifest.name: manifest for manifest in (*sealed, *readable_manifests(archive.store))}
    replaced = {item.name for manifest in manifests.values() for item in manifest.replaces}
    named = {item.key for name in manifests.keys() - replaced for item in manifests[name].objects}
    named |= {object_keys(manifest.name).manifest for manifest in sealed}
    return _mostly_missing({key for key in named if key.startswith(kinds)}, there)


def require_whole_store(archive: Archive) -> None:
    """Raises :class:`StoreUnavailable` where a repair would take what is not mounted for lost, or for a stranger."""
    require_present(archive, (WARCS, JOURNALS))
    known = (*_copies(archive), *readable_manifests(archive.store))
    described = {item.key for manifest in known for item in manifest.objects}
    found = [info.key for info in archive.store.list() if info.key.startswith((WARCS, JOURNALS))]
    strangers = sum(key not in described for key in found)
    if 2 * strangers > len(found):
        raise StoreUnavailable(
            f"store {archive.store.address}: {strangers} of {len(found)} WARCs, indexes and journals stand in no "
            f"manifest; nothing was changed: is {MANIFESTS} mounted, and is the catalogue the right one? "
            "If the manifests are lost for good, add --missing-is-lost"
        )


def require_something(archive: Archive) -> None:
    """Raises :class:`StoreUnavailable` where the store is empty, and the catalogue says that it is not."""
    c = schema.files.c
    sealed = sa.select(c.name).where(c.state.in_((SEALED, REPLACED)), c.manifest.is_not(None)).limit(1)
    with archive.catalogue.read() as connection:
        name = connection.execute(sealed).scalar()
    if name is None or archive.store.stat(object_keys(name).manifest) is not None:
        return
    if next(archive.store.list(), None) is None:
        raise StoreUnavailable(
            f"store {archive.store.address}: is empty, though {name} was sealed into it; nothing was changed: is it "
            "the right one, and mounted?"
        )


def require_present(archive: Archive, kinds: tuple[str, ...]) -> None:
    """Raises :class:`StoreUnavailable` for the folders that :func:`absences` names."""
    found = absences(archive, kinds)
    if found:
        more = f", and so in {len(found) - _SHOWN} folders more" if len(found) > _SHOWN else ""
        raise StoreUnavailable(
            f"store {archive.store.address}: {'; '.join(map(str, found[:_SHOWN]))}{more}; nothing was changed: "
            "is all of it mounted? If they are lost for good, add --missing-is-lost"
        )


def _copies(archive: Archive, *states: str) -> list[Manifest]:
    """The catalogue's copies of manifests: of files in these states, or of all."""
    c = schema.files.c
    query = sa.select(c.manifest).where(c.manifest.is_not(None))
    with archive.catalogue.read() as connection:
        texts = connection.execute(query.where(c.state.in_(states)) if states else query).scalars().all()
    return [parse_manifest(text.encode(), "catalogue") for text in texts]


def _mostly_missing(named: Iterable[str], there: set[str]) -> list[Absence]:
    total, missing = Counter[str](), Counter[str]()
    for key in named:
        folders = [key[: end + 1] for end, character in enumerate(key) if character == "/"]
        total.update(folders)
        missing.update(folders if key not in there else ())
    found: list[Absence] = []
    for folder in sorted(total):
        if 2 * missing[folder] > total[folder] and not any(folder.startswith(other.folder) for other in found):
            # Where all that is missing is in one of its folders, that one is named.
            same = [other for other in total if other.startswith(folder) and missing[other] == missing[folder]]
            named_one = min(same, key=lambda other: (total[other], len(other)))
            found.append(Absence(named_one, missing[named_one], total[named_one]))
    return found
