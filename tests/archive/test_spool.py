"""The spool's locks hold between processes, and end with them."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.archive.harness import START

from newsmorgue.archive.spool import Spool, object_keys, source_of
from newsmorgue.errors import Busy, StoreUnavailable

HOLD = """
import sys
from pathlib import Path
from newsmorgue.archive.spool import Spool
spool = Spool(Path(sys.argv[1]))
file = spool.lock(sys.argv[2])
with spool.lock_source("demo", "crawl"):
    print("held" if file else "not mine", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _holder(spool: Spool, name: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", HOLD, str(spool.folder), name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def name(spool: Spool) -> str:
    with spool.create("demo", START, 7) as file:
        return file.name


def test_two_processes_cannot_hold_one_file_and_a_killed_one_holds_none(spool: Spool, name: str) -> None:
    with _holder(spool, name) as child:
        assert spool.lock(name) is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        file = spool.lock(name)
        assert file is not None
        file.close()


def test_two_processes_cannot_run_one_source(spool: Spool, name: str) -> None:
    with _holder(spool, name) as child:
        with (
            pytest.raises(Busy, match="another process is at a crawl of source 'demo'"),
            spool.lock_source("demo", "crawl"),
        ):
            pass
        with spool.lock_source("demo", "save"), spool.lock_source("other", "crawl"):
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()
        with spool.lock_source("demo", "crawl"):
            pass


def test_a_file_is_held_once_within_a_process_too(spool: Spool, name: str) -> None:
    file = spool.lock(name)
    assert file is not None
    with file:
        assert spool.lock(name) is None


def test_a_file_that_was_sealed_meanwhile_is_not_held(spool: Spool, name: str) -> None:
    file = spool.lock(name)
    assert file is not None
    with file:
        file.discard()
    assert spool.lock(name) is None
    assert spool.names() == []


def test_names_come_oldest_first_and_other_files_are_passed_over(spool: Spool, name: str) -> None:
    with spool.create("demo", START.replace(year=2025), 8) as file:
        older = file.name
    (spool.folder / "demo" / "copy of something.warc.gz").write_bytes(b"")
    (spool.folder / "notes.txt").write_bytes(b"")
    assert spool.names() == [older, name]


def test_appended_bytes_stand_where_it_says(spool: Spool, name: str) -> None:
    file = spool.lock(name)
    assert file is not None
    with file:
        assert [file.append_warc(b"one"), file.append_warc(b"three"), file.append_journal(b"x")] == [0, 3, 0]
        file.cut_warc(4)
        assert file.append_warc(b"!") == 4
        assert (file.warc_path.read_bytes(), file.warc_length) == (b"onet!", 5)


def test_a_spool_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="Not a directory"):
        Spool(tmp_path / "file" / "spool").create("demo", START, 1)


@pytest.mark.parametrize("source", ["le-monde", "a.b_c", "x-20260101000000-00000000-00001"])
def test_a_name_says_its_source(spool: Spool, source: str) -> None:
    with spool.create(source, START, 123456) as file:
        assert source_of(file.name) == source
        keys = object_keys(file.name)
        assert keys.manifest == f"manifests/{source}/2026/03/{file.name}.json"
        assert keys.journal == f"text/{source}/2026/03/{file.name}.jsonl.gz"


@pytest.mark.parametrize(
    "name", ["", "demo", "../demo-20260301120000-00000000-00001", "demo-20260301120000-XXXXXXXX-00001"]
)
def test_what_is_no_name_of_ours_is_no_key(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a WARC of this archive"):
        object_keys(name)
