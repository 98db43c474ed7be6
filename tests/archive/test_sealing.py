"""Sealing: whatever interrupts it, doing it again gives the same objects, once."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from tests.archive.harness import (
    BRIDGE,
    OTHER_TEXT,
    START,
    Visitor,
    captures,
    column,
    environment_of,
    open_archive,
    problems,
    rebuilt,
    rows,
)
from tests.cli.command import Morgue

from newsmorgue.archive import schema, sealing
from newsmorgue.archive.archive import SEALED, SEALING, Archive
from newsmorgue.archive.capture import Capture
from newsmorgue.archive.cdxj import CdxLine
from newsmorgue.archive.index import cdx_line
from newsmorgue.archive.recovery import seal_all
from newsmorgue.archive.spool import SpoolFile, object_keys
from newsmorgue.archive.store import Store
from newsmorgue.capture import recorder
from newsmorgue.errors import MissingObject, NotYetStored, ObjectExists, StoreUnavailable

LATER = START + timedelta(days=1)


class PowerLoss(Exception):
    """The end of the process, as a test can catch it."""


class DyingStore:
    """A store whose ``end``-th operation is its last: before anything is done, or after all is."""

    def __init__(self, inner: Store, end: int, *, done: bool) -> None:
        self._inner, self._left, self._done = inner, end, done

    def __getattr__(self, name: str) -> Any:
        operation: Any = getattr(self._inner, name)
        return self._counted(operation) if callable(operation) else operation

    def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._done:
                raise PowerLoss
            result = operation(*args, **kwargs)
            if self._left == 0:
                raise PowerLoss
            return result

        return counted


class AwayStore(DyingStore):
    """A store that does not answer."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner, 0, done=False)

    def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def refused(*args: Any, **kwargs: Any) -> Any:
            raise StoreUnavailable("the store is away")

        return refused


def _one_run(archive: Archive, now: Any = START, run: str = "run-1") -> Visitor:
    visitor = Visitor(archive, now=now, run=run)
    visitor.see(BRIDGE)
    visitor.see(BRIDGE, OTHER_TEXT)
    return visitor


def _objects(store: Store) -> dict[str, bytes]:
    return {info.key: store.get(info.key) for info in store.list()}


def test_what_is_sealed_stands_in_the_store_and_no_longer_in_the_spool(
    tmp_path: Path, store: Store, catalogue_url: str
) -> None:
    archive = open_archive(tmp_path, store=store, catalogue=catalogue_url)
    _one_run(archive).end()
    assert archive.spool.names() == []
    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []
    assert sorted(key.split("/")[0] + "." + key.rsplit(".", 1)[1] for key in _objects(store)) == [
        "manifests.json",
        "text.gz",
        "warc.cdxj",
        "warc.gz",
    ]
    assert archive.read_capture(captures(archive)[0]).entity.startswith(b"<html>")
    assert problems(archive) == []


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_crash_at_any_step_then_sealing_again_gives_each_object_once(
    tmp_path: Path, store: Store, done: bool
) -> None:
    archive = open_archive(tmp_path, store=store)
    _one_run(archive).end()
    for end in range(1, 9):
        now = START + timedelta(hours=end)
        _one_run(archive, now, f"run-{end}").end(sealed=False)
        dying = open_archive(tmp_path, store=cast(Store, DyingStore(store, end, done=done)))
        with pytest.raises(PowerLoss):
            seal_all(dying, now)
        assert column(archive, schema.files.c.state) == [SEALED] * end + [SEALING]
        (fixed,) = column(archive, schema.files.c.manifest, schema.files.c.state == SEALING)
        (name,) = seal_all(archive, LATER)
        assert store.get(object_keys(name).manifest).decode() == fixed
    assert archive.spool.names() == []
    assert len(_objects(store)) == 4 * 9
    assert problems(archive) == []


@pytest.mark.parametrize("end", range(1, 8))
def test_a_later_version_that_writes_its_index_otherwise_ends_the_sealing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: int
) -> None:
    archive = open_archive(tmp_path)
    _one_run(archive).end(sealed=False)
    dying = open_archive(tmp_path, store=cast(Store, DyingStore(archive.store, end, done=False)))
    with pytest.raises(PowerLoss):
        seal_all(dying, LATER)
    begun = _objects(archive.store)
    monkeypatch.setattr(sealing, "cdx_line", _with_more)
    _one_run(archive, LATER, "run-2").end()
    assert begun.items() <= _objects(archive.store).items()
    assert archive.spool.names() == []
    assert [path for path in (tmp_path / "spool").rglob("*") if path.is_file()] == []
    assert problems(archive) == []
    indexes = [data for key, data in _objects(archive.store).items() if key.endswith(".cdxj")]
    assert sorted(b'"more": "x"' in data for data in indexes) == [False, True]


def _with_more(capture: Capture) -> CdxLine:
    line = cdx_line(capture)
    return replace(line, fields={**line.fields, "more": "x"})


def test_an_index_kept_for_another_sealing_is_not_taken(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    _one_run(archive).end(sealed=False)
    (name,) = archive.spool.names()
    file = archive.spool.lock(name)
    assert file is not None
    with file:
        file.keep_cdxj(b"of an earlier day, before more was captured\n")
    assert seal_all(archive, LATER) == [name]
    assert problems(archive) == []


def test_a_crash_before_the_spool_is_emptied(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_archive(tmp_path, store=store)
    _one_run(archive).end(sealed=False)
    with monkeypatch.context() as patch:
        patch.setattr(SpoolFile, "discard", _lose_power)
        with pytest.raises(PowerLoss):
            seal_all(archive, LATER)
    before = _objects(store)
    assert len(archive.spool.names()) == 1
    visitor = _one_run(archive, LATER, "run-2")
    assert len(archive.spool.names()) == 1
    visitor.end()
    assert before.items() < _objects(store).items()
    assert problems(archive) == []


def _lose_power(_: object) -> None:
    raise PowerLoss


def test_the_manifests_of_a_source_are_one_chain(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    for number in range(3):
        _one_run(archive, START + timedelta(days=number), f"run-{number}").end()
    other = Visitor(archive, source="other")
    other.see(BRIDGE)
    other.end()
    data = [archive.store.get(info.key) for info in archive.store.list("manifests/demo/")]
    manifests = sorted((json.loads(each) | {"link": hashlib.sha256(each).hexdigest()} for each in data), key=_position)
    assert [each["position"] for each in manifests] == [1, 2, 3]
    assert [each["previous"] for each in manifests] == [None, manifests[0]["link"], manifests[1]["link"]]
    for each in manifests:
        for described in each["objects"]:
            stored = archive.store.get(described["key"])
            assert (len(stored), hashlib.sha256(stored).hexdigest()) == (described["size"], described["sha256"])
    (first,) = (json.loads(archive.store.get(info.key)) for info in archive.store.list("manifests/other/"))
    assert (first["position"], first["previous"]) == (1, None)


def _position(manifest: dict[str, Any]) -> int:
    return int(manifest["position"])


def test_a_file_that_holds_nothing_is_thrown_away(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    archive.create_file("demo", START, {}).close()
    assert seal_all(archive, LATER) == []
    assert archive.spool.names() == []
    assert column(archive, schema.files.c.name) == []
    assert _objects(archive.store) == {}


def test_what_lies_in_another_machine_s_spool_is_named_with_its_host(tmp_path: Path) -> None:
    here = open_archive(tmp_path, host="here")
    _one_run(here).end(sealed=False)
    there = open_archive(tmp_path, host="there")
    there.spool.folder = tmp_path / "elsewhere"
    capture = captures(there)[0]
    with pytest.raises(NotYetStored, match="captured, not yet stored, held by here; run 'morgue seal' there, or wait"):
        there.read_capture(capture)
    seal_all(here, LATER)
    assert there.read_capture(capture).entity.startswith(b"<html>")


def test_a_capture_whose_bytes_are_nowhere_is_missing(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    _one_run(archive).end()
    capture = captures(archive)[0]
    archive.store.delete(object_keys(capture.warc).warc)
    with pytest.raises(MissingObject, match="run 'morgue verify'"):
        archive.read_capture(capture)


def test_a_store_that_is_away_keeps_no_run_from_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PATIENCE", 0.1)
    archive = open_archive(tmp_path)
    _one_run(archive).end(sealed=False)
    away = open_archive(tmp_path, store=cast(Store, AwayStore(archive.store)))
    with pytest.raises(StoreUnavailable):
        seal_all(away, LATER)
    visitor = _one_run(away, LATER, "run-2")
    with pytest.raises(StoreUnavailable):
        visitor.end()
    assert len(archive.spool.names()) == 2
    assert len(seal_all(archive, LATER)) == 2
    assert len(captures(archive)) == 4
    assert problems(archive) == []


def test_an_object_of_other_content_is_never_overwritten(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    _one_run(archive).end(sealed=False)
    (name,) = archive.spool.names()
    archive.store.put_bytes(object_keys(name).cdxj, b"something else\n")
    with pytest.raises(ObjectExists):
        seal_all(archive, LATER)
    assert archive.spool.names() == [name]


def test_a_half_stored_file_is_not_added_to_after_a_reindex(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    _one_run(archive).end(sealed=False)
    dying = open_archive(tmp_path, store=cast(Store, DyingStore(archive.store, 1, done=True)))
    with pytest.raises(PowerLoss):
        seal_all(dying, LATER)
    fresh = rebuilt(archive, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")
    assert rows(fresh) == rows(archive)
    visitor = _one_run(fresh, LATER, "run-2")
    visitor.end()
    assert fresh.spool.names() == []
    assert problems(fresh) == []
    with fresh.catalogue.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.files)).scalar() == 2


def test_the_command_says_what_it_may_not_seal(tmp_path: Path) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    morgue = Morgue(tmp_path, environment_of(archive))
    ended = morgue("seal")
    assert (ended.code, ended.out) == (0, f"sealed 0 files into {archive.store.address}\n")
    assert ended.err == "left in the spool, as another process writes there: 1 file\n"
    visitor.end(sealed=False)
    ended = morgue("seal", "demo")
    assert (ended.code, ended.out, ended.err) == (0, f"sealed 1 file into {archive.store.address}\n", "")
