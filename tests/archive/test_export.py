"""What is taken out is whole, validates, and comes in elsewhere as it was."""

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from tests.archive.harness import BRIDGE, OTHER_TEXT, TEXT, Visitor, captures, exchange, open_archive, problems
from tests.archive.makers import page
from tests.archive.test_import import blocks, bring, check
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Role
from newsmorgue.archive.journal import members
from newsmorgue.archive.wacz import SigningKey, Write, Written, write_wacz
from newsmorgue.errors import ConfigurationError
from newsmorgue.stories.exporting import Selection, write_warc
from newsmorgue.stories.reading import find_story, show_version

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OTHER = "https://news.example/2026/schools"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Two stories; one seen three times, the last time with another text; a redirect to it, and its end."""
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    visitor.see(BRIDGE)
    visitor.see(OTHER, OTHER_TEXT, headline="Schools")
    visitor.redirect("https://news.example/b", BRIDGE)
    visitor.see(BRIDGE, reason="recheck")
    visitor.see(BRIDGE, TEXT + "\n\nIt is open again.", reason="recheck")
    visitor.gone(BRIDGE)
    visitor.end()
    return archive


def warc(archive: Archive, selection: Selection) -> bytes:
    """An export as bytes."""
    out = BytesIO()
    for _ in write_warc(archive, selection, out.write, "out.warc.gz", NOW):
        pass
    return out.getvalue()


def wacz(archive: Archive, path: Path, selection: Selection | None = None, key: SigningKey | None = None) -> int:
    """An export as a file."""

    def write(put: Write) -> Iterator[Written]:
        return write_warc(archive, selection or Selection(), put, "data.warc.gz", NOW)

    with path.open("wb") as stream:
        return write_wacz(stream, write, "a title", NOW, key)


def taken_out(archive: Archive, folder: Path, form: str) -> Path:
    """All of an archive, in a file of that form."""
    path = folder / f"out.{form}"
    if form == "wacz":
        wacz(archive, path)
    else:
        path.write_bytes(warc(archive, Selection()))
    return path


def another(folder: Path) -> Archive:
    """An empty archive."""
    (folder / "other").mkdir()
    return open_archive(folder / "other")


def found(data: bytes) -> list[tuple[str, str | None]]:
    """The records of a WARC, as warcio reads them: type and URL."""
    records = ArchiveIterator(BytesIO(data))
    return [(each.rec_type, each.rec_headers.get_header("WARC-Target-URI")) for each in records]


def test_all_of_an_archive(archive: Archive, tmp_path: Path) -> None:
    data = warc(archive, Selection())
    (tmp_path / "out.warc.gz").write_bytes(data)
    checker = Checker(type("Arguments", (), {"inputs": [str(tmp_path / "out.warc.gz")], "verbose": False}))
    checker.process_all()
    assert checker.exit_value == 0
    kinds = [kind for kind, _ in found(data)]
    assert kinds.count("warcinfo") == 1 and kinds.count("request") == 6
    assert kinds.count("response") + kinds.count("revisit") == 6


def members_of(data: bytes) -> list[bytes]:
    """The gzip members of a WARC but for the first, which is its warcinfo record."""
    return [data[offset : offset + length] for offset, length, _ in members(BytesIO(data), "test")][1:]


def test_records_are_those_of_the_archive_byte_for_byte(archive: Archive) -> None:
    (stored,) = [archive.store.get(info.key) for info in archive.store.list("warc/") if info.key.endswith(".gz")]
    assert members_of(warc(archive, Selection())) == members_of(stored)


def test_a_story_with_its_redirect_and_its_end(archive: Archive) -> None:
    data = warc(archive, Selection(story=find_story(archive, BRIDGE)))
    urls = [url for kind, url in found(data) if kind in ("response", "revisit")]
    assert urls.count(BRIDGE) == 4 and urls.count("https://news.example/b") == 1 and len(urls) == 5


def test_a_span_brings_the_older_payload_of_its_revisits(archive: Archive) -> None:
    (revisit,) = [capture for capture in captures(archive) if capture.kind == "revisit"]
    data = warc(archive, Selection(start=revisit.time, end=revisit.time))
    pages = [kind for kind, _ in found(data) if kind in ("response", "revisit")]
    assert pages == ["revisit", "response"]


def test_a_wacz_is_what_the_specification_says(archive: Archive, tmp_path: Path) -> None:
    assert wacz(archive, tmp_path / "a.wacz") == 6
    with zipfile.ZipFile(tmp_path / "a.wacz") as package:
        assert package.testzip() is None
        described = json.loads(package.read("datapackage.json"))
        assert described["profile"] == "data-package" and described["wacz_version"] == "1.1.1"
        for resource in described["resources"]:
            data = package.read(resource["path"])
            assert resource["bytes"] == len(data)
            assert resource["hash"] == "sha256:" + hashlib.sha256(data).hexdigest()
        listed = {resource["path"] for resource in described["resources"]}
        assert listed | {"datapackage.json", "datapackage-digest.json"} == set(package.namelist())
        assert package.getinfo("archive/data.warc.gz").compress_type == zipfile.ZIP_STORED
        assert package.getinfo("indexes/index.cdx.gz").compress_type == zipfile.ZIP_STORED
        digest = json.loads(package.read("datapackage-digest.json"))
        package_bytes = package.read("datapackage.json")
        assert digest == {"path": "datapackage.json", "hash": "sha256:" + hashlib.sha256(package_bytes).hexdigest()}
        _check_index(package)
        head, *pages = [json.loads(line) for line in package.read("pages/pages.jsonl").splitlines()]
    assert head["format"] == "json-pages-1.0"
    assert {page["title"] for page in pages} == {"The bridge", "Schools"} and len(pages) == 4
    assert any("two cables" in page["text"] for page in pages)


def _check_index(package: zipfile.ZipFile) -> None:
    """Sorted; each line leads to the record that it names."""
    data = package.read("archive/data.warc.gz")
    lines = gzip.decompress(package.read("indexes/index.cdx.gz")).splitlines()
    assert lines == sorted(lines) and len(lines) == 6
    for line in lines:
        fields: dict[str, Any] = json.loads(line.split(b" ", 2)[2])
        assert fields["filename"] == "data.warc.gz"
        place = int(fields["offset"])
        (record,) = ArchiveIterator(BytesIO(data[place : place + int(fields["length"])]))
        assert record.rec_headers.get_header("WARC-Target-URI") == fields["url"]


def test_the_index_has_blocks_that_its_list_names(archive: Archive, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("newsmorgue.archive.wacz._BLOCK_LINES", 4)
    wacz(archive, tmp_path / "a.wacz")
    with zipfile.ZipFile(tmp_path / "a.wacz") as package:
        blocks_listed = package.read("indexes/index.idx").splitlines()[1:]
        data = package.read("indexes/index.cdx.gz")
    assert len(blocks_listed) == 2
    for line in blocks_listed:
        key, time, text = line.split(b" ", 2)
        place = json.loads(text)
        block = gzip.decompress(data[place["offset"] : place["offset"] + place["length"]])
        assert block.startswith(key + b" " + time + b" ")


def test_a_signature_holds(archive: Archive, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*form))
    wacz(archive, tmp_path / "a.wacz", key=SigningKey.read(tmp_path / "key.pem"))
    with zipfile.ZipFile(tmp_path / "a.wacz") as package:
        signed = json.loads(package.read("datapackage-digest.json"))["signedData"]
        described = package.read("datapackage.json")
    assert signed["hash"] == "sha256:" + hashlib.sha256(described).hexdigest()
    assert signed["created"] == json.loads(described)["created"]
    raw = base64.b64decode(signed["signature"])
    public = serialization.load_der_public_key(base64.b64decode(signed["publicKey"]))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public.verify(signature, signed["hash"].encode(), ec.ECDSA(hashes.SHA256()))


def test_a_key_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(ConfigurationError, match=r"key\.pem"):
        SigningKey.read(tmp_path / "key.pem")


def test_the_validator_of_the_format_accepts_it(archive: Archive, tmp_path: Path) -> None:
    program = shutil.which(os.environ.get("WACZ", "wacz"))
    if program is None:
        pytest.skip("the validator, PyPI's wacz, is not installed; name it in WACZ")
    wacz(archive, tmp_path / "a.wacz")
    done = subprocess.run([program, "validate", "-f", tmp_path / "a.wacz"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "is valid" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("form", ["warc.gz", "wacz"])
def test_it_comes_in_elsewhere_as_it_was(archive: Archive, tmp_path: Path, form: str) -> None:
    path, other = taken_out(archive, tmp_path, form), another(tmp_path)
    _, told = bring(other, path, source="demo")
    assert not told and problems(other) == []
    assert blocks(other) == blocks(archive)
    again, _ = bring(archive, path, source="demo")
    assert (again["kept"], again["known"]) == (0, 6)


@pytest.mark.parametrize("form", ["warc.gz", "wacz"])
def test_what_a_browser_made_and_who_named_a_page_come_in_elsewhere_too(tmp_path: Path, form: str) -> None:
    archive = open_archive(tmp_path)
    visitor = Visitor(archive)
    empty = b"<html><head><title>x</title><script src=/app.js></script></head><body><div id=app></div></body></html>"
    about = {"via": "https://news.example/feed", "lastmod": "2026-03-01T08:00:00Z"}
    capture = visitor.recorder.record(exchange(BRIDGE, empty, visitor.now), Role.STORY, about).capture
    assert capture is not None
    visitor.recorder.keep_rendering(capture, page())
    visitor.now += timedelta(hours=1)
    unchanged = visitor.record(BRIDGE, b"", status=304)
    visitor.recorder.keep_rendering(unchanged, page("It opens again on Friday."))
    visitor.end()
    path, other = taken_out(archive, tmp_path, form), another(tmp_path)
    counts, told = bring(other, path, source="demo")
    assert not told and counts["passed_over"] == 1  # warcinfo
    assert blocks(other) == blocks(archive)
    first, second = captures(other)
    assert (other.read_rendering(first), other.read_rendering(second)) == (
        page(),
        page("It opens again on Friday."),
    )
    named = [
        record.rec_headers.get_header("WARC-Concurrent-To")
        for record in ArchiveIterator(BytesIO(warc(other, Selection())))
        if record.rec_type in ("metadata", "resource")
    ]
    ids = [other.read_capture(each).headers["warc-record-id"] for each in (first, second)]
    assert named == [ids[0], ids[0], ids[1]]
    texts = [show_version(other, find_story(other, BRIDGE), number).article.text for number in (1, 2)]
    assert ["It opens again" in text for text in texts] == [False, True]
    check(other, tmp_path)


def test_a_time_in_which_nothing_was_captured(archive: Archive) -> None:
    past = NOW - timedelta(days=4000)
    assert list(write_warc(archive, Selection(end=past), len, "x", NOW)) == []
