"""Whether the catalogue's rows are those that the objects make: compared, table by table, with a catalogue that is made
from the objects anew, in a temporary file."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.archive import OPEN, SEALING, Archive
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.archive.checks import Problem, Report
from newsmorgue.archive.reindex import reindex
from newsmorgue.archive.spool import JOURNAL_SUFFIX, WARC_SUFFIX, Spool
from newsmorgue.errors import CatalogueUnavailable, NewsmorgueError

_MOST = 10  # rows of a table that are named
_BATCH = 1_000
_CHUNK = 1 << 20


def check_rows(archive: Archive, report: Report) -> None:
    """Name each row that the objects do not make, and each that they make and the catalogue has not.

    Where that cannot be said, since the archive is written meanwhile or lies in part in the spool of another machine,
    ``report.uncompared`` says why.
    """
    before = _state(archive)
    elsewhere = sorted({file.host for file in before[1] if file.state in (OPEN, SEALING)} - {archive.host})
    if elsewhere:
        report.uncompared = f"{', '.join(elsewhere)} has files that are not sealed; run 'morgue seal' there"
        return
    with TemporaryDirectory(prefix="morgue-verify-") as folder:
        try:
            found = _differences(archive, before[1], Path(folder))
        except CatalogueUnavailable as error:
            report.uncompared = str(error)
            return
        except (NewsmorgueError, FileNotFoundError) as error:
            found = [Problem("catalogue", f"cannot be made from the objects: {error}")]
    if _state(archive) != before:
        report.uncompared = "the archive was written meanwhile"
    else:
        report.problems += found


def _state(archive: Archive) -> tuple[list[Any], list[Any]]:
    """What changes with every commit, sealing and compaction."""
    with archive.catalogue.read() as connection:
        counters = connection.execute(sa.select(schema.counters).order_by(schema.counters.c.name)).all()
        files = connection.execute(sa.select(schema.files).order_by(schema.files.c.name)).all()
    return list(counters), list(files)


def _differences(archive: Archive, files: list[Any], folder: Path) -> list[Problem]:
    spool = _copied_spool(archive, files, folder / "spool")
    made = Archive(archive.store, Catalogue(f"sqlite:///{folder / 'rows.sqlite'}"), spool, archive.limits, archive.host)
    try:
        reindex(made, replace=False)
        found: list[Problem] = []
        with archive.catalogue.read() as live, made.catalogue.read() as fresh:
            for table in schema.metadata.sorted_tables:
                if table.name not in schema.NOT_OF_OBJECTS:
                    found += _compared(table, live, fresh)
        return found
    finally:
        made.catalogue.close()


def _copied_spool(archive: Archive, files: list[Any], folder: Path) -> Spool:
    """What is committed of this machine's spool: a reindex mends what it reads there, and this is to change nothing."""
    copied = Spool(folder)
    for file in files:
        if file.state in (OPEN, SEALING):
            for suffix, length in ((WARC_SUFFIX, file.warc_length), (JOURNAL_SUFFIX, file.journal_length)):
                _copy(archive.spool.path(file.name, suffix), copied.path(file.name, suffix), length)
    return copied


def _copy(source: Path, target: Path, length: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as stream, target.open("wb") as out:
        while length and (data := stream.read(min(_CHUNK, length))):
            out.write(data)
            length -= len(data)


def _compared(table: sa.Table, live: sa.Connection, fresh: sa.Connection) -> list[Problem]:
    found = []
    count = 0
    for key, what in _unlike(_rows(table, live), _rows(table, fresh), len(table.primary_key.columns)):
        count += 1
        if count <= _MOST:
            found.append(Problem("catalogue", f"{table.name} ({', '.join(map(str, key))}): {what}"))
    if count > _MOST:
        found.append(Problem("catalogue", f"{table.name}: so {count - _MOST:,} rows more"))
    return found


def _rows(table: sa.Table, connection: sa.Connection) -> Iterator[tuple[Any, ...]]:
    """A table's rows, the key's columns first, in the order of the key's bytes whatever the database's language."""
    derived = schema.DERIVED.get(table.name, ())
    key = list(table.primary_key.columns)
    columns = [*key, *(column for column in table.columns if column not in key and column.name not in derived)]
    is_plain = connection.dialect.name == "sqlite"
    order = [column if is_plain or not isinstance(column.type, sa.Text) else column.collate("C") for column in key]
    query = sa.select(*columns).order_by(*order).execution_options(yield_per=_BATCH)
    return (tuple(row) for row in connection.execute(query))


def _unlike(
    live: Iterator[tuple[Any, ...]], fresh: Iterator[tuple[Any, ...]], width: int
) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Go through two lists in the same order; the keys are the first ``width`` values of their rows."""
    one, other = next(live, None), next(fresh, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[:width] < other[:width]):
            assert one is not None
            yield one[:width], "no object says so"
            one = next(live, None)
        elif one is None or other[:width] < one[:width]:
            yield other[:width], "is missing, though the objects say so"
            other = next(fresh, None)
        else:
            if one != other:
                yield one[:width], "is not what the objects say"
            one, other = next(live, None), next(fresh, None)
