"""Verify compares every row of the catalogue with what the objects make, and says when it cannot."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.archive.harness import BRIDGE, OTHER_TEXT, Visitor, open_archive, problems

from newsmorgue.archive import rows, schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.reindex import Rebuilt, reindex
from newsmorgue.archive.store import Store
from newsmorgue.archive.verify import verify

TABLES = ("sources", "runs", "urls", "mentions", "captures", "stories", "aliases", "versions", "texts", "sightings")


def _fill(archive: Archive, *, sealed: bool) -> Archive:
    visitor = Visitor(archive)
    for url in (BRIDGE, f"{BRIDGE}-2", f"{BRIDGE}/é", f"{BRIDGE}_B", f"{BRIDGE}.a"):
        visitor.mention(url, "2026-03-01")
        visitor.see(url, f"{OTHER_TEXT} {url}")
    visitor.see(BRIDGE, OTHER_TEXT, reason="recheck")
    visitor.redirect("https://news.example/b", BRIDGE)
    visitor.end(sealed=sealed)
    return archive


def test_rows_that_objects_make_are_as_they_are(tmp_path: Path, store: Store, catalogue_url: str) -> None:
    report = verify(_fill(open_archive(tmp_path, store=store, catalogue=catalogue_url), sealed=True))
    assert (report.problems, report.uncompared) == ([], None)


@pytest.fixture(params=[True, False], ids=["sealed", "spooled"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return _fill(open_archive(tmp_path), sealed=request.param)


def _changes(table: sa.Table) -> Iterator[sa.sql.dml.UpdateBase]:
    """One row less; one that says something else; one more."""
    key = list(table.primary_key.columns)
    first = sa.select(*key).order_by(*key).limit(1)
    (text, *_) = (each for each in table.columns if isinstance(each.type, sa.Text) and each.name not in _DERIVED)
    yield sa.delete(table).where(sa.tuple_(*key).in_(first))
    yield sa.update(table).where(sa.tuple_(*key).in_(first)).values({text: text + "x"})
    more = [each + "x" if each is text else each for each in table.columns]
    yield sa.insert(table).from_select(list(table.columns), sa.select(*more).where(sa.tuple_(*key).in_(first)))


_DERIVED = {"reason", "claimed_by"}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_that_is_gone_or_altered_or_added_is_named(archive: Archive, name: str) -> None:
    table = schema.metadata.tables[name]
    for change in _changes(table):
        with archive.catalogue.write() as connection:
            before = [tuple(row) for row in connection.execute(sa.select(table))]
            if table is schema.captures and change.is_insert:
                continue  # its place is taken
            connection.execute(change)
        found = problems(archive)
        assert found and all(problem.startswith("catalogue: ") for problem in found), str(change)
        with archive.catalogue.write() as connection:
            connection.execute(sa.delete(table))
            for row in before:
                connection.execute(sa.insert(table).values(row))
    report = verify(archive)
    assert (report.problems, report.uncompared) == ([], None)


def test_many_rows_are_counted(archive: Archive) -> None:
    with archive.catalogue.write() as connection:
        one = sa.select(schema.aliases).limit(1)
        row = connection.execute(one).mappings().one()
        for number in range(25):
            connection.execute(sa.insert(schema.aliases).values({**row, "url": f"http://x/{number:02}"}))
    found = problems(archive)
    assert found[0] == "catalogue: aliases (http://x/00): no object says so"
    assert (len(found), found[-1]) == (11, "catalogue: aliases: so 15 rows more")


def test_nothing_is_said_of_an_archive_that_is_written_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = _fill(open_archive(tmp_path), sealed=True)
    visitor = Visitor(archive, run="run-2")

    def slow(made: Archive, **more: Any) -> Rebuilt:
        rebuilt = reindex(made, **more)
        visitor.see(f"{BRIDGE}/new")
        return rebuilt

    monkeypatch.setattr(rows, "reindex", slow)
    report = verify(archive)
    assert (report.problems, report.uncompared) == ([], "the archive was written meanwhile")
    visitor.end()


def test_what_lies_in_another_spool_cannot_be_compared(tmp_path: Path) -> None:
    _fill(open_archive(tmp_path, host="elsewhere"), sealed=False)
    report = verify(open_archive(tmp_path, host="here"))
    assert report.problems == []
    assert report.uncompared == "elsewhere has files that are not sealed; run 'morgue seal' there"
