"""Sealing in the background: a store that is away holds up no crawl, and is given everything once it is back."""

import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from tests.archive.faults import LINES
from tests.archive.harness import BRIDGE, START, Visitor, captures, open_archive, problems
from tests.processes import wait_until
from tests.servers import Seaweed, proxy

from newsmorgue.archive.archive import Archive, Limits
from newsmorgue.archive.recovery import seal_all
from newsmorgue.archive.sealer import Sealer
from newsmorgue.archive.store import Store, open_store
from newsmorgue.capture import recorder
from newsmorgue.errors import IntegrityFailure, NewsmorgueError, StoreUnavailable

LATER = START + timedelta(hours=1)
# Each commit's bytes are more than that: every visit begins a new WARC, and sends the last one off.
TINY = Limits(size=1)


class TroubledStore:
    """A store whose puts raise, as long as there are errors left."""

    def __init__(self, inner: Store, *errors: NewsmorgueError) -> None:
        self._inner, self.errors = inner, list(errors)
        self.orphans_looked_for = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def put_file(self, key: str, path: Path, *, sha256: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self._inner.put_file(key, path, sha256=sha256)

    def abort_orphans(self, *, older_than: timedelta, now: datetime) -> tuple[str, ...]:
        self.orphans_looked_for += 1
        raise StoreUnavailable("the store is away")


def _troubled(folder: Path, *errors: NewsmorgueError) -> tuple[Archive, TroubledStore]:
    store = TroubledStore(open_store(str(folder / "archive")), *errors)
    return open_archive(folder, store=cast(Store, store), limits=TINY), store


def _visits(archive: Archive, count: int = 3) -> Visitor:
    visitor = Visitor(archive)
    for number in range(count):
        assert visitor.see(f"{BRIDGE}/{number}", headline=str(number)) == "new_story"
    return visitor


def test_a_store_that_comes_back_is_given_everything(tmp_path: Path) -> None:
    archive, store = _troubled(tmp_path, StoreUnavailable("the store is away"))
    visitor = _visits(archive)
    visitor.end()
    assert store.errors == []
    assert store.orphans_looked_for == 1
    assert (archive.spool.names(), visitor.recorder.sealer.waiting) == ([], 0)
    assert len(captures(archive)) == 3
    assert problems(archive) == []


def test_a_file_that_could_not_be_sealed_is_told_of_though_others_could(tmp_path: Path) -> None:
    archive, _ = _troubled(tmp_path, IntegrityFailure("reads back with another SHA-256"))
    with pytest.raises(IntegrityFailure, match="reads back"):
        _visits(archive).end()
    seal_all(archive, LATER)
    assert len(captures(archive)) == 3
    assert problems(archive) == []


def test_what_is_not_sealed_is_let_go_of(tmp_path: Path) -> None:
    archive, _ = _troubled(tmp_path, *[StoreUnavailable("the store is away")] * 99)
    visitor = _visits(archive)
    began = time.monotonic()
    error = visitor.recorder.sealer.close(0.1)
    assert isinstance(error, StoreUnavailable)
    assert time.monotonic() - began < 60
    visitor.recorder.abandon()
    assert len(archive.spool.names()) >= 3
    wait_until(lambda: not any(_is_held(archive, name) for name in archive.spool.names()))


class SlowStore(TroubledStore):
    """A store whose puts take longer than anybody waits, and succeed: the first as soon as nobody does."""

    nobody_waits: Callable[[], bool] = staticmethod(lambda: False)

    def put_file(self, key: str, path: Path, *, sha256: str) -> None:
        wait_until(lambda: self.nobody_waits())
        super().put_file(key, path, sha256=sha256)


def test_what_there_was_no_time_for_is_told_of(tmp_path: Path) -> None:
    store = SlowStore(open_store(str(tmp_path / "archive")))
    visitor = _visits(open_archive(tmp_path, store=cast(Store, store), limits=TINY))
    store.nobody_waits = visitor.recorder.sealer._stopping.is_set
    error = visitor.recorder.sealer.close(0.05)
    visitor.recorder.abandon()
    assert isinstance(error, StoreUnavailable)
    assert "stays in the spool: try 'morgue seal' later" in str(error)
    assert len(visitor.archive.spool.names()) >= 2


def test_nothing_to_seal_is_nothing_to_wait_for(tmp_path: Path) -> None:
    sealer = Sealer(open_archive(tmp_path), lambda: START)
    assert sealer.close(30) is None
    assert sealer.waiting == 0


def test_uploads_cut_off_long_ago_are_thrown_away_before_the_first_seal(
    tmp_path: Path, s3_credentials: Seaweed
) -> None:
    client, bucket = s3_credentials.client(), s3_credentials.new_bucket()
    client.create_multipart_upload(Bucket=bucket, Key="a/warc/cut-off")
    client.create_multipart_upload(Bucket=bucket, Key="of another program")
    store = open_store(f"s3://{bucket}/a", endpoint=s3_credentials.endpoint, region=s3_credentials.region)
    visitor = Visitor(open_archive(tmp_path, store=store), now=datetime.now(UTC) + timedelta(days=2))
    visitor.see(BRIDGE)
    visitor.end()
    left = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [upload["Key"] for upload in left] == ["of another program"]


def test_a_store_that_swallows_everything_does_not_hold_up_the_end(
    tmp_path: Path, s3_credentials: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the time-outs that a crawl has, in which one try takes a minute and a half."""
    monkeypatch.setattr(recorder, "PATIENCE", 1.0)
    address = s3_credentials.new_store()
    with LINES["silent"](s3_credentials) as endpoint:
        visitor = _visits(open_archive(tmp_path, store=open_store(address, endpoint=endpoint, region="us-east-1")))
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match=f"store {address}: does not answer; .* stays in the spool"):
            visitor.end()
        assert time.monotonic() - began < 60
    assert len(visitor.archive.spool.names()) == 1


def test_a_slow_store_is_waited_for(tmp_path: Path, s3_credentials: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Buffers on the way take a part of it at once; here they are small, so that something moves all the time."""
    patience = 4.0
    monkeypatch.setattr(recorder, "PATIENCE", patience)

    def slowly(data: bytes) -> bytes:
        time.sleep(len(data) / 2_500_000)
        return data

    with proxy(s3_credentials.endpoint, on_request=slowly, on_reply=lambda data: data, buffer=1 << 16) as endpoint:
        store = open_store(s3_credentials.new_store(), endpoint=endpoint, region="us-east-1")
        visitor = Visitor(open_archive(tmp_path, store=store))
        visitor.record(BRIDGE, random.Random(1).randbytes(15_000_000))
        began = time.monotonic()
        visitor.end()
        assert time.monotonic() - began > patience
    assert visitor.archive.spool.names() == []


@pytest.fixture(params=[*LINES])
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_line_with_a_fault(
    tmp_path: Path, s3_credentials: Seaweed, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Visits go on, the end says what is the matter, and once the line is mended all is stored, each object once."""
    monkeypatch.setattr(recorder, "PATIENCE", 0.5)
    address = s3_credentials.new_store()
    with LINES[line](s3_credentials) as endpoint:
        away = open_archive(tmp_path, store=_s3(address, endpoint), limits=TINY)
        visitor = _visits(away)
        with pytest.raises(StoreUnavailable, match=re.escape(f"store {address}: ")):
            visitor.end()
        wait_until(lambda: not any(_is_held(away, name) for name in away.spool.names()))
    names = away.spool.names()
    assert names
    monkeypatch.setattr(recorder, "PATIENCE", 30.0)
    archive = open_archive(tmp_path, store=open_store(address, endpoint=s3_credentials.endpoint, region="us-east-1"))
    again = Visitor(archive, now=LATER, run="run-2")
    again.recorder.take_over()
    assert again.see(f"{BRIDGE}/0", headline="0") == "unchanged"
    again.end()
    assert archive.spool.names() == []
    assert len(captures(archive)) == 4
    assert problems(archive) == []
    assert len(list(archive.store.list())) == 4 * len({*names, *(each.warc for each in captures(archive))})
    assert "Uploads" not in s3_credentials.client().list_multipart_uploads(
        Bucket=address.split("/")[2], Prefix=address.split("/", 3)[3]
    )


def _s3(address: str, endpoint: str) -> Store:
    return open_store(address, endpoint=endpoint, region="us-east-1", attempts=1, connect_timeout=0.3, read_timeout=0.3)


def _is_held(archive: Archive, name: str) -> bool:
    file = archive.spool.lock(name)
    if file is None:
        return True
    file.close()
    return False
