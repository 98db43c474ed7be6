"""What says more of a capture and does not stand beside it: it says which record it goes with, and may stand anywhere.

A crawl of ours writes the DOM of a page when the browser is done, with other captures meanwhile; other makers write
``metadata`` at the end. So the files of an import are looked through for such records before the first page is taken.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator

from newsmorgue.archive.foreign import ForeignRecord


class Strays:
    """The records that stand apart, in the files of one import, by the ids of the records that they go with.

    In a temporary file of SQLite's own, since a browser's pages are large.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE strays (number INTEGER PRIMARY KEY, file INTEGER, place TEXT, fields TEXT, block BLOB,"
            " is_placed INTEGER DEFAULT 0)"
        )
        self._database.execute("CREATE TABLE names (id TEXT, number INTEGER, PRIMARY KEY (id, number)) WITHOUT ROWID")

    def add(self, file: int, record: ForeignRecord) -> None:
        """Remember a record of the file of that number."""
        row = (file, record.where, json.dumps(record.fields), record.block)
        number = self._database.execute("INSERT INTO strays (file, place, fields, block) VALUES (?, ?, ?, ?)", row)
        names = [(name, number.lastrowid) for name in record.goes_with]
        self._database.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", names)

    def of(self, identifiers: Iterable[str]) -> list[ForeignRecord]:
        """What goes with the records of these ids, in the order in which it was read; it has its place from now on."""
        found: dict[int, ForeignRecord] = {}
        joined = "SELECT number, place, fields, block FROM names JOIN strays USING (number) WHERE id = ?"
        for identifier in identifiers:
            found |= {number: _record(*rest) for number, *rest in self._database.execute(joined, (identifier,))}
        for number in found:
            self._database.execute("UPDATE strays SET is_placed = 1 WHERE number = ?", (number,))
        # The same file may be there twice.
        return list({found[number].get("warc-record-id"): found[number] for number in sorted(found)}.values())

    def left(self, file: int | None = None) -> Iterator[ForeignRecord]:
        """What goes with no record that was asked for, in a file or in all."""
        query = "SELECT place, fields, block FROM strays WHERE NOT is_placed AND file = coalesce(?, file)"
        return (_record(*row) for row in self._database.execute(query + " ORDER BY number", (file,)))

    def close(self) -> None:
        """Throw the file away."""
        self._database.close()


def _record(place: str, fields: str, block: bytes) -> ForeignRecord:
    return ForeignRecord(place, tuple((name, value) for name, value in json.loads(fields)), block)
