"""Objects in a bucket of Amazon S3 or a store that speaks it, by boto3.

Every put is conditional (``If-None-Match: *``) and carries a checksum that the server compares. Credentials
come from boto3's usual chain. What botocore raises becomes one of our errors, with the place and what to do.
"""

import hashlib
import io
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    NoCredentialsError,
    PartialCredentialsError,
)

from newsmorgue.archive.store import Checksums, ObjectInfo, checked_key, is_key
from newsmorgue.errors import IntegrityFailure, MissingObject, ObjectExists, StoreUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# S3's limit for one upload.
_MOST_PARTS = 10_000
_READ_AHEAD = 2**20
_ABSENT = {"NoSuchKey", "404", "NotFound"}
_DAMAGED = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"}
# A conditional put lost: to another writer, or to its own first try whose answer never came.
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload", "412", "409"}
_ADVICE = {
    "NoSuchBucket": "make the bucket, or mend 'store' in the configuration",
    "AccessDenied": "the credentials are wrong, or may not do this",
    "403": "the credentials are wrong, or may not do this",
    "InvalidAccessKeyId": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile",
    "SignatureDoesNotMatch": "mend the secret key, or the machine's clock",
    "RequestTimeTooSkewed": "set the machine's clock",
    "NotImplemented": "the store refused a header: try checksums = 'when_required'",
    "PermanentRedirect": "the bucket is in another region: set 'region'",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set 'region'",
}


@dataclass(frozen=True, slots=True)
class S3Options:
    """How to speak to the store; :func:`newsmorgue.archive.store.open_store` says what each is."""

    endpoint: str | None
    region: str | None
    checksums: Checksums
    connect_timeout: float
    read_timeout: float
    attempts: int
    part_size: int


class S3Store:
    """A :class:`~newsmorgue.archive.store.Store` under a prefix of a bucket. It may be shared by threads."""

    def __init__(self, bucket: str, prefix: str, options: S3Options) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._options = options
        self._bucket_seen = False
        self.moved = 0

    def __repr__(self) -> str:
        return f"S3Store({self.address!r})"

    @property
    def address(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def put_file(self, key: str, path: Path, *, sha256: str) -> None:
        """See :meth:`.Store.put_file`."""
        with path.open("rb") as source:
            self._put(key, source, path.stat().st_size, sha256.lower())

    def put_bytes(self, key: str, data: bytes) -> None:
        """See :meth:`.Store.put_bytes`."""
        self._put(key, io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest())

    def get(self, key: str) -> bytes:
        """See :meth:`.Store.get`."""
        with self.open(key) as stream:
            return stream.read()

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """See :meth:`.Store.get_range`."""
        name, end = self._name(key), offset + length
        if length == 0:
            return b""
        with self._failures(key):
            asked = f"bytes={offset}-{end - 1}"
            data = self._client.get_object(Bucket=self._bucket, Key=name, Range=asked)["Body"].read()
        if len(data) != length:
            raise IntegrityFailure(f"{self.address}/{key}: ends before byte {end}; run 'morgue verify'")
        return data

    def open(self, key: str) -> io.BufferedReader:
        """See :meth:`.Store.open`."""
        name = self._name(key)
        with self._failures(key):
            body = self._client.get_object(Bucket=self._bucket, Key=name)["Body"]
        return io.BufferedReader(_Body(body, lambda: self._failures(key), self._count), _READ_AHEAD)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See :meth:`.Store.list`."""
        with self._failures("list"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for entry in page.get("Contents", ()):
                    key = entry["Key"].removeprefix(self._prefix)
                    if is_key(key):
                        yield ObjectInfo(key, entry["Size"])

    def stat(self, key: str) -> ObjectInfo | None:
        """See :meth:`.Store.stat`."""
        name = self._name(key)
        with self._failures(key):
            try:
                return ObjectInfo(key, self._client.head_object(Bucket=self._bucket, Key=name)["ContentLength"])
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise
            # The answer to HEAD has no body that would say whether the key is missing or the bucket.
            self._require_bucket()
            return None

    def sha256(self, key: str) -> str:
        """See :meth:`.Store.sha256`."""
        with self.open(key) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def delete(self, key: str) -> None:
        """See :meth:`.Store.delete`: in a versioned bucket, all versions."""
        name = self._name(key)
        with self._failures(key):
            answer = self._client.delete_object(Bucket=self._bucket, Key=name)
            if "VersionId" in answer:
                self._delete_versions(name)

    def abort_orphans(self, *, older_than: timedelta, now: datetime) -> tuple[str, ...]:
        """See :meth:`.Store.abort_orphans`."""
        aborted = []
        with self._failures("abort unfinished uploads"):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for upload in page.get("Uploads", ()):
                    if now - upload["Initiated"] > older_than:
                        self._abort(upload["Key"], upload["UploadId"])
                        aborted.append(upload["Key"].removeprefix(self._prefix))
        return tuple(aborted)

    @cached_property
    def _client(self) -> "S3Client":
        options = self._options
        config = Config(
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            retries={"mode": "standard", "total_max_attempts": options.attempts},
            request_checksum_calculation=options.checksums,
            response_checksum_validation=options.checksums,
        )
        # A session of its own: boto3's default one is not safe to share between threads.
        session = boto3.session.Session()
        return session.client("s3", endpoint_url=options.endpoint, region_name=options.region, config=config)

    def _require_bucket(self) -> None:
        if self._bucket_seen:
            return
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise StoreUnavailable(self._no_bucket()) from error
            raise
        self._bucket_seen = True

    def _no_bucket(self) -> str:
        return f"store {self.address}: there is no bucket '{self._bucket}': {_ADVICE['NoSuchBucket']}"

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _put(self, key: str, source: BinaryIO, size: int, sha256: str) -> None:
        name = self._name(key)
        with self._failures(key):
            if self.stat(key) is not None or not self._sent(name, source, size, sha256):
                self._require_same(key, size, sha256)

    def _require_same(self, key: str, size: int, sha256: str) -> None:
        there = self.stat(key)
        if there is None:
            raise StoreUnavailable(f"store {self.address}: {key}: another put of it is under way; try again")
        if there.size != size or self.sha256(key) != sha256:
            raise ObjectExists(
                f"{self.address}/{key}: exists with other content than SHA-256 {sha256}; "
                "no object is ever altered: use another key"
            )

    def _sent(self, name: str, source: BinaryIO, size: int, sha256: str) -> bool:
        """Whether this put made the object; False if another did, or an earlier try of this one."""
        try:
            if size > self._options.part_size:
                self._send_in_parts(name, source, size, sha256)
            else:
                self._send_whole(name, source.read(), sha256)
        except ClientError as error:
            if _code(error) not in _TAKEN:
                raise
            return False
        return True

    def _send_whole(self, name: str, data: bytes, sha256: str) -> None:
        _require_digest(hashlib.sha256(data).hexdigest(), sha256, name)
        self._client.put_object(
            Bucket=self._bucket,
            Key=name,
            Body=_Upload(data, self._count),
            IfNoneMatch="*",
            Metadata={"sha256": sha256},
            **self._checksum(data),
        )

    def _send_in_parts(self, name: str, source: BinaryIO, size: int, sha256: str) -> None:
        algorithm: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if self._with_sha256 else {}
        upload = self._client.create_multipart_upload(
            Bucket=self._bucket, Key=name, Metadata={"sha256": sha256}, **algorithm
        )["UploadId"]
        try:
            parts = self._send_parts(name, upload, source, size, sha256)
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=name,
                UploadId=upload,
                IfNoneMatch="*",
                MultipartUpload={"Parts": parts},
            )
        except BaseException:
            with suppress(ClientError, BotoCoreError):
                self._abort(name, upload)
            raise

    def _send_parts(
        self, name: str, upload: str, source: BinaryIO, size: int, sha256: str
    ) -> "Sequence[CompletedPartTypeDef]":
        part_size = max(self._options.part_size, -(-size // _MOST_PARTS))
        whole = hashlib.sha256()
        parts: list[CompletedPartTypeDef] = []
        while data := source.read(part_size):
            whole.update(data)
            parts.append(self._send_part(name, upload, len(parts) + 1, data))
        _require_digest(whole.hexdigest(), sha256, name)
        return parts

    def _send_part(self, name: str, upload: str, number: int, data: bytes) -> "CompletedPartTypeDef":
        checksum = self._checksum(data)
        answer = self._client.upload_part(
            Bucket=self._bucket,
            Key=name,
            UploadId=upload,
            PartNumber=number,
            Body=_Upload(data, self._count),
            **checksum,
        )
        part: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        return {**part, "ChecksumSHA256": checksum["ChecksumSHA256"]} if self._with_sha256 else part

    @property
    def _with_sha256(self) -> bool:
        return self._options.checksums == "when_supported"

    def _checksum(self, data: bytes) -> dict[str, Any]:
        """What the server is to compare the bytes with."""
        if self._with_sha256:
            return {"ChecksumSHA256": b64encode(hashlib.sha256(data).digest()).decode()}
        return {"ContentMD5": b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()}

    def _count(self, length: int) -> None:
        self.moved += length

    def _abort(self, name: str, upload: str) -> None:
        self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload)

    def _delete_versions(self, name: str) -> None:
        pages = self._client.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket, Prefix=name):
            for version in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                if version["Key"] == name:
                    self._client.delete_object(Bucket=self._bucket, Key=name, VersionId=version["VersionId"])

    @contextmanager
    def _failures(self, doing: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._translated(error, doing) from error
        except FlexibleChecksumError as error:
            raise IntegrityFailure(f"{self.address}/{doing}: {error}; run 'morgue verify'") from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            advice = _ADVICE["InvalidAccessKeyId"]
            raise StoreUnavailable(f"store {self.address}: {error}: {advice}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"store {self.address}: {doing}: {error}; try again later") from error

    def _translated(self, error: ClientError, doing: str) -> Exception:
        code, message = _code(error), error.response.get("Error", {}).get("Message", "")
        place = f"{self.address}/{doing}"
        if code in _ABSENT:
            return MissingObject(f"{place}: there is no such object; run 'morgue verify'")
        if code in _DAMAGED:
            return IntegrityFailure(f"{place}: the store received other bytes than were sent: {message}; try again")
        if code == "InvalidRange":
            return IntegrityFailure(f"{place}: ends before the bytes asked for; run 'morgue verify'")
        if code == "NoSuchBucket":
            return StoreUnavailable(self._no_bucket())
        advice = _ADVICE.get(code, "try again later")
        return StoreUnavailable(f"store {self.address}: {doing}: {code}: {message}: {advice}")


class _Upload(io.BytesIO):
    """What is to be sent; it says how far it was read. Without TLS it is read once before, to be signed, and so what is
    read a second time counts too; but no more after that, for another try is nothing new."""

    def __init__(self, data: bytes, count: Callable[[int], None]) -> None:
        super().__init__(data)
        self._count = count
        self._furthest, self._is_again = 0, False

    def seek(self, position: int, whence: int = 0, /) -> int:
        if not self._is_again and position == 0 < self._furthest and whence == 0:
            self._furthest, self._is_again = 0, True
        return super().seek(position, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.tell() > self._furthest:
            self._count(self.tell() - self._furthest)
            self._furthest = self.tell()
        return data


class _Body(io.RawIOBase):
    """An answer's body as a raw stream whose failures are ours."""

    def __init__(
        self,
        body: "StreamingBody",
        failures: Callable[[], AbstractContextManager[None]],
        count: Callable[[int], None],
    ) -> None:
        self._body = body
        self._failures = failures
        self._count = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        with self._failures():
            data = self._body.read(len(view))
        view[: len(data)] = data
        self._count(len(data))
        return len(data)

    def readall(self) -> bytes:
        with self._failures():
            return self._body.read()

    def close(self) -> None:
        self._body.close()
        super().close()


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _require_digest(found: str, sha256: str, name: str) -> None:
    if found != sha256:
        raise IntegrityFailure(f"{name}: the file has SHA-256 {found}, not {sha256}; nothing was stored")
