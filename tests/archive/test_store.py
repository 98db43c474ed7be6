"""What every store promises, asked of a folder and of a real S3 store; then what is peculiar to each."""

import errno
import hashlib
import os
import resource
import signal
import socket
import stat as file_modes
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.servers import Seaweed, free_ports, proxy

from newsmorgue.archive.store import ObjectInfo, Store, open_store
from newsmorgue.errors import (
    ConfigurationError,
    IntegrityFailure,
    MissingObject,
    NewsmorgueError,
    ObjectExists,
    StoreUnavailable,
)

MIB = 2**20
Hook = Callable[[bytes], bytes | None]
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
# printf hello | sha256sum
HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def put(store: Store, key: str, path: Path) -> None:
    store.put_file(key, path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def open_s3(server: Seaweed, bucket: str, **options: object) -> Store:
    return open_store(f"s3://{bucket}/a", endpoint=server.endpoint, **options)  # type: ignore[arg-type]


# Every store


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


# A folder


def test_a_killed_put_leaves_nothing_that_is_seen(tmp_path: Path) -> None:
    archive, source = tmp_path / "archive", tmp_path / "source"
    source.write_bytes(os.urandom(8 * MIB))
    script = (
        "import os, signal, sys; from pathlib import Path; from newsmorgue.archive.store import open_store\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "open_store(sys.argv[1]).put_file('a/b', Path(sys.argv[2]), sha256='0' * 64)"
    )
    killed = subprocess.run([sys.executable, "-c", script, archive, source], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((archive / "a").iterdir())) == 1
    store = open_store(str(archive))
    assert list(store.list()) == []
    put(store, "a/b", source)
    assert [info.key for info in store.list()] == ["a/b"]
    assert store.abort_orphans(older_than=timedelta(hours=1), now=datetime.now(UTC)) == ()
    removed = store.abort_orphans(older_than=timedelta(hours=1), now=datetime.now(UTC) + timedelta(hours=2))
    assert len(removed) == 1 and removed[0].startswith("a/.partial-")
    assert [path.name for path in (archive / "a").iterdir()] == ["b"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    source = write(tmp_path / "source", os.urandom(2 * MIB))
    store = open_store(str(archive))
    with _no_file_over(MIB), pytest.raises(StoreUnavailable, match=r"store /.*/archive: a/b: File too large"):
        put(store, "a/b", source)
    assert list((archive / "a").iterdir()) == []
    put(store, "a/b", source)
    assert store.get("a/b") == source.read_bytes()


@contextmanager
def _no_file_over(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"a file, not a folder")
    store = open_store(str(tmp_path / "archive"))
    with pytest.raises(StoreUnavailable, match="try again"):
        store.put_bytes("a", b"x")
    with pytest.raises(MissingObject):
        store.get("a")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def no_links(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", no_links)
    store = open_store(str(tmp_path / "archive"))
    store.put_bytes("a/b", b"hello")
    store.put_bytes("a/b", b"hello")
    with pytest.raises(ObjectExists):
        store.put_bytes("a/b", b"other")
    assert [path.name for path in (tmp_path / "archive" / "a").iterdir()] == ["b"]


def test_a_put_is_synced_before_it_returns_up_to_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def spy(descriptor: int) -> None:
        kind = "folder" if file_modes.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        synced.append(f"{kind} {Path(f'/proc/self/fd/{descriptor}').readlink().name.split('-')[0]}")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    open_store(str(tmp_path / "archive")).put_bytes("a/b/c", b"hello")
    assert synced[0] == "file .partial"
    assert synced[-4:] == ["folder b", "folder a", "folder archive", f"folder {tmp_path.name.split('-')[0]}"]


def test_strange_files_in_the_folder_are_no_objects(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.put_bytes("a", b"hello")
    (tmp_path / "line\nfeed").write_bytes(b"x")
    (tmp_path / ".partial-1-2").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    assert [info.key for info in store.list()] == ["a"]


# S3


@pytest.fixture
def bucket(s3_credentials: Seaweed) -> str:
    return s3_credentials.new_bucket()


@pytest.mark.parametrize("checksums", ["when_supported", "when_required"])
def test_parts(s3_credentials: Seaweed, bucket: str, checksums: str, tmp_path: Path) -> None:
    store = open_s3(s3_credentials, bucket, part_size=5 * MIB, checksums=checksums)
    data = os.urandom(11 * MIB)
    path = write(tmp_path / "a", data)
    put(store, "a", path)
    put(store, "a", path)
    assert store.get("a") == data
    with pytest.raises(ObjectExists):
        put(store, "a", write(tmp_path / "other", data[::-1]))
    with pytest.raises(IntegrityFailure):
        store.put_file("b", path, sha256=HELLO_SHA256)
    assert [info.key for info in store.list()] == ["a"]
    head = s3_credentials.client().head_object(Bucket=bucket, Key="a/a")
    assert head["Metadata"] == {"sha256": hashlib.sha256(data).hexdigest()}
    assert "Uploads" not in s3_credentials.client().list_multipart_uploads(Bucket=bucket)


@contextmanager
def through(
    server: Seaweed, bucket: str, *, request: Hook = lambda data: data, reply: Hook = lambda data: data
) -> Iterator[Store]:
    """The store behind a line that hooks may listen to, cut (by giving None) or garble."""
    with proxy(server.endpoint, on_request=request, on_reply=reply) as endpoint:
        yield open_store(f"s3://{bucket}/a", endpoint=endpoint, region=server.region, part_size=5 * MIB)


@pytest.mark.parametrize(("size", "said"), [(100, b"PUT /"), (6 * MIB, b"<CompleteMultipartUpload")])
def test_another_writer_wins_the_race(
    s3_credentials: Seaweed, bucket: str, tmp_path: Path, size: int, said: bytes
) -> None:
    def intrude(data: bytes) -> bytes:
        if said in data:
            s3_credentials.client().put_object(Bucket=bucket, Key="a/a", Body=b"the other's")
        return data

    with through(s3_credentials, bucket, request=intrude) as store, pytest.raises(ObjectExists):
        put(store, "a", write(tmp_path / "a", os.urandom(size)))
    assert open_s3(s3_credentials, bucket).get("a") == b"the other's"
    assert "Uploads" not in s3_credentials.client().list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize(("size", "said"), [(100, b"PUT /"), (6 * MIB, b"<CompleteMultipartUpload")])
def test_a_put_whose_answer_is_lost_is_success(
    s3_credentials: Seaweed, bucket: str, tmp_path: Path, size: int, said: bytes
) -> None:
    made, cut = threading.Event(), threading.Event()

    def listen(data: bytes) -> bytes:
        if said in data:
            made.set()
        return data

    def lose(data: bytes) -> bytes | None:
        if made.is_set() and not cut.is_set() and b"100 Continue" not in data[:30]:
            cut.set()
            return None
        return data

    with through(s3_credentials, bucket, request=listen, reply=lose) as store:
        put(store, "a", write(tmp_path / "a", os.urandom(size)))
    assert cut.is_set()
    assert open_s3(s3_credentials, bucket).get("a") == (tmp_path / "a").read_bytes()


MARK = b"a mark in the object's bytes"


def garble(data: bytes) -> bytes:
    return data.replace(MARK, MARK[::-1])


def test_bytes_garbled_on_their_way_there_are_refused(s3_credentials: Seaweed, bucket: str) -> None:
    with (
        through(s3_credentials, bucket, request=garble) as store,
        pytest.raises(IntegrityFailure, match="other bytes"),
    ):
        store.put_bytes("a", MARK)
    assert open_s3(s3_credentials, bucket).stat("a") is None


def test_bytes_garbled_on_their_way_back_are_noticed(s3_credentials: Seaweed, bucket: str) -> None:
    open_s3(s3_credentials, bucket).put_bytes("a", MARK)
    with through(s3_credentials, bucket, reply=garble) as store:
        with pytest.raises(IntegrityFailure, match="verify"):
            store.get("a")
        with pytest.raises(IntegrityFailure), store.open("a") as stream:
            stream.read()


def test_an_answer_that_breaks_off_is_said(s3_credentials: Seaweed, bucket: str) -> None:
    open_s3(s3_credentials, bucket).put_bytes("a", os.urandom(MIB))
    passed = 0

    def start(data: bytes) -> bytes:
        nonlocal passed
        passed = 0
        return data

    def break_off(data: bytes) -> bytes | None:
        nonlocal passed
        passed += len(data)
        return data if passed < MIB // 2 else None

    with through(s3_credentials, bucket, request=start, reply=break_off) as store:
        for read in (store.get, store.sha256, lambda key: store.get_range(key, 0, MIB)):
            with pytest.raises(StoreUnavailable, match="a: "):
                read("a")


def test_orphaned_parts_are_thrown_away_by_age(s3_credentials: Seaweed, bucket: str) -> None:
    client = s3_credentials.client()
    for key in ("a/warc/x", "other/y"):
        upload = client.create_multipart_upload(Bucket=bucket, Key=key)
        client.upload_part(Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=b"x")
    store = open_s3(s3_credentials, bucket)
    now = datetime.now(UTC)
    assert store.abort_orphans(older_than=timedelta(hours=1), now=now) == ()
    assert store.abort_orphans(older_than=timedelta(hours=1), now=now + timedelta(hours=2)) == ("warc/x",)
    left = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    assert [upload["Key"] for upload in left] == ["other/y"]


def test_deleting_from_a_versioned_bucket_leaves_no_version(s3_credentials: Seaweed, bucket: str) -> None:
    client = s3_credentials.client()
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store = open_s3(s3_credentials, bucket)
    store.put_bytes("a", b"to be forgotten")
    client.put_object(Bucket=bucket, Key="a/a", Body=b"a second version")
    store.put_bytes("ab", b"to be kept")
    store.delete("a")
    left = client.list_object_versions(Bucket=bucket)
    assert [version["Key"] for version in left.get("Versions", [])] == ["a/ab"]
    assert "DeleteMarkers" not in left


def test_more_objects_than_one_page_lists(s3_credentials: Seaweed, bucket: str) -> None:
    client = s3_credentials.client()
    keys = [f"a/{number:04}" for number in range(1005)]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    client.put_object(Bucket=bucket, Key="b/not-ours", Body=b"")
    store = open_s3(s3_credentials, bucket)
    assert [f"a/{info.key}" for info in store.list()] == keys


def test_a_bucket_that_is_not_there(s3_credentials: Seaweed) -> None:
    store = open_s3(s3_credentials, "no-such-bucket")
    calls: list[Callable[[], object]] = [
        lambda: store.put_bytes("a", b"x"),
        lambda: store.get("a"),
        lambda: store.stat("a"),
        lambda: list(store.list()),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable, match="there is no bucket 'no-such-bucket': make the bucket"):
            call()


def test_wrong_keys(s3_credentials: Seaweed, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreUnavailable, match="the credentials are wrong"):
        open_s3(s3_credentials, bucket).put_bytes("a", b"x")


def test_no_keys(s3_credentials: Seaweed, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreUnavailable, match="set AWS_ACCESS_KEY_ID"):
        open_s3(s3_credentials, bucket).put_bytes("a", b"x")


def test_nobody_answers(s3_credentials: Seaweed) -> None:
    store = open_store("s3://bucket", endpoint=f"http://127.0.0.1:{free_ports(1)[0]}", region="x", attempts=1)
    with pytest.raises(StoreUnavailable, match="Could not connect"):
        store.put_bytes("a", b"x")


def test_a_store_that_hangs_is_given_up_in_time(s3_credentials: Seaweed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = open_store("s3://bucket", endpoint=endpoint, region="x", attempts=2, read_timeout=0.5)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="try again later"):
            store.put_bytes("a", b"x")
        assert time.monotonic() - started < 10
