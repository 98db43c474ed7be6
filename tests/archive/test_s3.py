"""What is peculiar to a store in S3: parts, races, bad lines, versions, credentials."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.archive.faults import is_go_on
from tests.archive.objects import HELLO_SHA256, MIB, put, write
from tests.servers import Hook, Seaweed, free_ports, proxy

from newsmorgue.archive.store import Store, open_store
from newsmorgue.errors import (
    IntegrityFailure,
    ObjectExists,
    StoreUnavailable,
)


def open_s3(server: Seaweed, bucket: str, **options: object) -> Store:
    return open_store(f"s3://{bucket}/a", endpoint=server.endpoint, **options)  # type: ignore[arg-type]


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
        if made.is_set() and not cut.is_set() and not is_go_on(data):
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
        assert time.monotonic() - started < 30
