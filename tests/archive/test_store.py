"""What every store promises, asked of a folder and of a real S3 store alike; and how one is opened."""

import hashlib
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.archive.objects import HELLO_SHA256, MIB, put, write

from newsmorgue.archive.store import ObjectInfo, Store, open_store
from newsmorgue.errors import (
    ConfigurationError,
    IntegrityFailure,
    MissingObject,
    NewsmorgueError,
    ObjectExists,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_what_was_put_is_read_back(store: Store, tmp_path: Path) -> None:
    store.put_file("warc/example/2026/01/a.warc.gz", write(tmp_path / "a", b"hello"), sha256=HELLO_SHA256)
    key = "warc/example/2026/01/a.warc.gz"
    assert store.get(key) == b"hello"
    assert store.stat(key) == ObjectInfo(key, 5)
    assert store.sha256(key) == HELLO_SHA256
    with store.open(key) as stream:
        assert (stream.read(2), stream.read(), stream.read()) == (b"he", b"llo", b"")


def test_an_empty_object_is_an_object(store: Store) -> None:
    store.put_bytes("a/empty", b"")
    assert store.get("a/empty") == b""
    assert store.stat("a/empty") == ObjectInfo("a/empty", 0)


def test_a_large_file_comes_back_whole(store: Store, tmp_path: Path) -> None:
    data = os.urandom(40 * MIB + 1)
    put(store, "large", write(tmp_path / "large", data))
    assert store.sha256("large") == hashlib.sha256(data).hexdigest()
    assert store.get_range("large", 16 * MIB - 3, 6) == data[16 * MIB - 3 : 16 * MIB + 3]
    with store.open("large") as stream:
        assert b"".join(iter(lambda: stream.read(MIB), b"")) == data


@pytest.mark.parametrize(
    ("offset", "length", "expected"), [(0, 5, b"hello"), (1, 3, b"ell"), (4, 1, b"o"), (2, 0, b"")]
)
def test_a_range_is_exact(store: Store, offset: int, length: int, expected: bytes) -> None:
    store.put_bytes("a", b"hello")
    assert store.get_range("a", offset, length) == expected


@pytest.mark.parametrize(("offset", "length"), [(0, 6), (4, 2), (5, 1), (100, 1)])
def test_a_range_past_the_end_is_damage(store: Store, offset: int, length: int) -> None:
    store.put_bytes("a", b"hello")
    with pytest.raises(IntegrityFailure, match="/a: ends before"):
        store.get_range("a", offset, length)


def test_putting_the_same_again_is_success(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"hello")
    for _ in range(3):
        store.put_file("a", path, sha256=HELLO_SHA256.upper())
        store.put_bytes("a", b"hello")
    assert store.get("a") == b"hello"


@pytest.mark.parametrize("other", [b"world", b"hello world"])
def test_an_object_is_never_altered(store: Store, other: bytes, tmp_path: Path) -> None:
    store.put_bytes("a/b", b"hello")
    with pytest.raises(ObjectExists, match=r"/a/b: exists with other content"):
        store.put_bytes("a/b", other)
    with pytest.raises(ObjectExists):
        put(store, "a/b", write(tmp_path / "other", other))
    assert store.get("a/b") == b"hello"


def test_of_two_writers_one_wins_and_the_other_is_told(store: Store) -> None:
    outcomes: list[object] = []
    gate = threading.Barrier(6)

    def writer(number: int) -> None:
        gate.wait()
        try:
            store.put_bytes("contested", b"%d" % number)
            outcomes.append(number)
        except NewsmorgueError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=writer, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(winners) == 1 and outcomes.count(ObjectExists) == 5
    assert store.get("contested") == b"%d" % winners[0]


def test_a_file_that_changed_since_its_digest_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(IntegrityFailure, match="nothing was stored"):
        store.put_file("a", write(tmp_path / "a", b"hellO"), sha256=HELLO_SHA256)
    assert store.stat("a") is None
    assert list(store.list()) == []


def test_what_is_not_there(store: Store) -> None:
    store.put_bytes("there/a", b"hello")
    for key in ("a", "there", "there/b", "there/a/b"):
        assert store.stat(key) is None
        for read in (store.get, store.open, store.sha256, lambda key: store.get_range(key, 0, 1)):
            with pytest.raises(MissingObject, match=f"{key}: there is no such object"):
                read(key)


def test_delete_can_be_done_again(store: Store) -> None:
    store.put_bytes("a/b", b"hello")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/was")
    assert store.stat("a/b") is None
    store.put_bytes("a/b", b"other")
    assert store.get("a/b") == b"other"


def test_list_has_every_key_in_order(store: Store) -> None:
    keys = [
        "b/2026/01/x.cdxj",
        "b/2026/01/x.warc.gz",
        "b/2026/02/a",
        "b/2025/12/z",
        "a/é",
        "a/z",
        "a/A",
        "top",
        "b-c/x",
    ]
    for key in keys:
        store.put_bytes(key, key.encode())
    expected = [ObjectInfo(key, len(key.encode())) for key in sorted(keys)]
    listed = list(store.list())
    # Which of two neighbours comes first whose names begin alike is the store's affair.
    assert sorted(listed, key=lambda info: info.key) == expected
    assert [info for info in listed if not info.key.startswith("b-c")] == [e for e in expected if e.key != "b-c/x"]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("a/", ["a/1", "a/b/2", "a/c"]),
        ("a/b", ["a/b/2"]),
        ("a", ["a/1", "a/b/2", "a/c", "ab/3"]),
        ("a/b/2", ["a/b/2"]),
        ("x", []),
        ("a/x/", []),
        ("", ["a/1", "a/b/2", "a/c", "ab/3"]),
    ],
)
def test_list_by_prefix(store: Store, prefix: str, expected: list[str]) -> None:
    for key in ("a/1", "a/b/2", "a/c", "ab/3"):
        store.put_bytes(key, b"x")
    assert [info.key for info in store.list(prefix)] == expected


def test_an_empty_store_lists_nothing(store: Store) -> None:
    assert list(store.list()) == list(store.list("a/")) == []
    assert store.abort_orphans(older_than=timedelta(0), now=NOW) == ()


BAD_KEYS = [
    "",
    "/a",
    "a/",
    "a//b",
    "..",
    "a/../b",
    "./a",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x7f",
    "a\ud800",
    "a" * 256,
    "a/" * 500 + "a",
    ".partial-a",
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_could_lead_elsewhere_is_refused(store: Store, key: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x", b"hello")
    calls: list[Callable[[], object]] = [
        lambda: store.put_file(key, path, sha256=HELLO_SHA256),
        lambda: store.put_bytes(key, b"x"),
        lambda: store.get(key),
        lambda: store.get_range(key, 0, 0),
        lambda: store.open(key),
        lambda: store.stat(key),
        lambda: store.sha256(key),
        lambda: store.delete(key),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="not a key"):
            call()


# Opening


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("", {}),
        ("s3://", {}),
        ("s3:///prefix", {}),
        ("s3://bucket/a/../b", {}),
        ("s3://buck et/a", {}),
        ("gs://bucket/a", {}),
        ("https://example.org/a", {}),
        ("s3://bucket", {"endpoint": "example.org"}),
        ("s3://bucket", {"checksums": "never"}),
    ],
)
def test_an_address_that_is_none_is_refused_at_once(address: str, options: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="give"):
        open_store(address, **options)  # type: ignore[arg-type]


def test_addresses_for_messages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_store("archive").address == str(tmp_path / "archive")
    assert open_store("s3://bucket/a/b/").address == "s3://bucket/a/b"
    assert open_store("s3://bucket").address == "s3://bucket"
