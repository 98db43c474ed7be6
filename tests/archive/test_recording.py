"""The recorder: what a site asks not to keep reaches no disk, runs are on record, writers share a catalogue."""

import gzip
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import (
    BRIDGE,
    START,
    Visitor,
    captures,
    column,
    exchange,
    open_archive,
    problems,
    rebuilt,
    rows,
)
from tests.processes import SECONDS

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Role
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.capture.policy import refusal
from newsmorgue.capture.runs import BeginRun, EndRun
from newsmorgue.errors import CatalogueUnavailable
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.stories.discovery import Discover, Finding
from newsmorgue.stories.reading import list_stories

SECRET = "the words that nobody may keep"
HTML = b"Content-Type: text/html"
NOARCHIVE = b"<html><head><meta name=robots content=noarchive></head>"


def _page(markup: bytes, *headers: bytes) -> "str | None":
    answer = exchange(BRIDGE, markup, headers=[HTML, *headers])
    refused = refusal(answer.head, answer.entity)
    return f"{refused.reason} by {refused.where}" if refused else None


@pytest.mark.parametrize(
    ("header", "refused"),
    [
        (b"X-Robots-Tag: noarchive", True),
        (b"x-robots-tag: NoIndex, NoArchive", True),
        (b"X-Robots-Tag: newsmorgue: noarchive", True),
        (b"X-Robots-Tag: googlebot: noarchive", False),
        (b"X-Robots-Tag: googlebot: noindex, noarchive", False),
        (b"X-Robots-Tag: unavailable_after: 25 Jun 2030 15:00:00 PST, noarchive", True),
        (b"X-Robots-Tag: max-snippet: 20, noarchive", True),
        (b"X-Robots-Tag: noindex", False),
        (b"X-Robots-Tag: noarchiver", False),
        (b"Tdm-Reservation: 1", True),
        (b"tdm-reservation: 0", False),
        (b"X-Other: noarchive", False),
    ],
)
def test_what_header_fields_ask(header: bytes, refused: bool) -> None:
    assert (_page(b"<html>", header) is not None) is refused


@pytest.mark.parametrize(
    ("markup", "refused"),
    [
        (b"<meta name=robots content=noarchive>", True),
        (b'<META CONTENT="noindex, NOARCHIVE" NAME="ROBOTS"/>', True),
        (b"<meta\nname='robots'\ncontent='max-image-preview:large,noarchive'>", True),
        (b"<meta name='newsmorgue' content='noarchive'>", True),
        (b"<meta name='googlebot' content='noarchive'>", False),
        (b"<meta name='robots' content='index,follow'>", False),
        (b"<meta name='description' content='noarchive'>", False),
        (b"<meta name='robots-note' content='noarchive'>", False),
        (b"<meta name=tdm-reservation content=1>", True),
        (b"<meta name=tdm-reservation content=0>", False),
        # Styles and scripts of half a megabyte may stand before it; what readers write stands behind.
        (b"<style>" + b" " * 500_000 + b"</style><meta name=robots content=noarchive>", True),
        (b"<script>'</head>'</script>" + b" " * 70_000 + b"<meta name=robots content=noarchive></head><body>", True),
        (b"</head><body>" + b" " * 70_000 + b"<meta name=robots content=noarchive>", False),
    ],
)
def test_what_pages_ask(markup: bytes, refused: bool) -> None:
    assert (_page(b"<html><head>" + markup) is not None) is refused


def test_pages_are_read_through_their_coding() -> None:
    assert _page(gzip.compress(NOARCHIVE), b"Content-Encoding: gzip") == "noarchive by meta"
    assert _page(gzip.compress(NOARCHIVE + b"x" * 10**7), b"Content-Encoding: x-gzip") == "noarchive by meta"
    assert _page(zlib.compress(NOARCHIVE), b"Content-Encoding: deflate") == "noarchive by meta"
    late = b"<html><style>" + bytes(range(256)) * 2000 + b"</style>" + NOARCHIVE
    for body, coding in ((gzip.compress(late), b"gzip"), (zlib.compress(late)[2:-4], b"deflate")):
        assert _page(body, b"Content-Encoding: " + coding) == "noarchive by meta"
    assert _page(b"not gzip at all", b"Content-Encoding: gzip") is None
    assert _page(gzip.compress(NOARCHIVE)[:70], b"Content-Encoding: gzip") == "noarchive by meta"


def test_what_is_no_html_is_asked_by_its_header_alone() -> None:
    answer = exchange("https://news.example/a.txt", NOARCHIVE, headers=[b"Content-Type: text/plain"])
    assert refusal(answer.head, answer.entity) is None


def test_what_may_not_be_kept_reaches_no_disk_and_the_refusal_is_on_record(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visitor.see(BRIDGE)
    secret = exchange("https://news.example/secret", NOARCHIVE + SECRET.encode())
    recorded = visitor.recorder.record(replace(secret, started=visitor.now), Role.STORY)
    assert recorded.capture is None
    visitor.end()
    assert visitor.recorder.counts["not_kept"] == 1
    assert [capture.url for capture in captures(visitor.archive)] == [BRIDGE]
    assert column(visitor.archive, schema.audit.c.subject) == ["https://news.example/secret"]
    assert column(visitor.archive, schema.audit.c.detail) == ["noarchive (meta)"]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert SECRET.encode() not in (gzip.decompress(data) if path.suffix == ".gz" else data), path


# -- runs ----------------------------------------------------------------------------------------------------------


def _run_rows(visitor: Visitor) -> dict[str, tuple[str | None, str | None]]:
    with visitor.archive.catalogue.read() as connection:
        return {row.id: (row.outcome, row.counts) for row in connection.execute(sa.select(schema.runs))}


def test_a_run_that_was_killed_is_found_lost_by_the_next(tmp_path: Path, catalogue_url: str) -> None:
    archive = open_archive(tmp_path, catalogue=catalogue_url)
    Visitor(archive, run="killed").recorder.abandon()
    visitor = Visitor(archive, run="next", now=START + timedelta(hours=1))
    assert _run_rows(visitor) == {"killed": ("lost", "{}"), "next": (None, None)}
    visitor.end()
    assert _run_rows(visitor)["next"] == ("finished", '{"stored": 1}')


def test_a_save_beside_a_crawl_is_not_its_end(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path), run="crawl")
    source = SourceConfiguration("demo", BRIDGE)
    visitor.settle(BeginRun("save", source, "save", "test-host"))
    assert {outcome for outcome, _ in _run_rows(visitor).values()} == {None}
    visitor.settle(BeginRun("elsewhere", source, "crawl", "other-host"))  # it holds the source now
    assert {run: outcome for run, (outcome, _) in _run_rows(visitor).items()} == {
        "crawl": "lost",
        "save": None,
        "elsewhere": None,
    }
    assert column(visitor.archive, schema.sources.c.home) == [BRIDGE]  # the crawl elsewhere says so


def test_what_a_run_still_had_in_hand_goes_back_and_is_counted(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visitor.mention(BRIDGE)
    with visitor.archive.catalogue.write() as connection:
        connection.execute(sa.update(schema.urls).values(claimed_by="run-1"))
    visitor.settle(EndRun("run-1", "interrupted", {"stored": 2}))
    assert _run_rows(visitor)["run-1"] == ("interrupted", '{"released": 1, "stored": 2}')
    assert column(visitor.archive, schema.urls.c.claimed_by) == [None]


def test_nothing_to_commit_is_no_commit(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    before = column(visitor.archive, schema.counters.c.value)
    visitor.recorder.commit()
    assert not visitor.recorder.has_pending
    assert column(visitor.archive, schema.counters.c.value) == before


def test_a_full_batch_is_committed_by_itself(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    for number in range(64):
        finding = Finding(f"https://news.example/{number}", Role.STORY)
        visitor.recorder.add(Discover("demo", "feed", (finding,)))
    assert not visitor.recorder.has_pending
    assert len(column(visitor.archive, schema.urls.c.key)) == 64


# -- several at once -----------------------------------------------------------------------------------------------

WRITE = """
import sys
from pathlib import Path
from tests.archive.harness import Visitor, open_archive
source = sys.argv[3]
visitor = Visitor(open_archive(Path(sys.argv[1]), catalogue=sys.argv[2]), source=source, run=source)
for number in range(15):
    visitor.see(f"https://{source}.example/{number}", f"Text of story {number}.", headline=f"Story {number}")
visitor.end(sealed=source != "three")
"""


def test_several_processes_write_at_once(tmp_path: Path, catalogue_url: str) -> None:
    archive = open_archive(tmp_path, catalogue=catalogue_url)
    root = Path(__file__).parents[2]
    commands = [[sys.executable, "-c", WRITE, str(tmp_path), catalogue_url, name] for name in ("one", "two", "three")]
    children = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [child.communicate(timeout=SECONDS)[1] for child in children] == ["", "", ""]
    assert len(list(list_stories(archive))) == 45
    assert problems(archive) == []
    assert rows(rebuilt(archive, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")) == rows(archive)


def test_several_processes_may_be_the_first(tmp_path: Path, catalogue_url: str) -> None:
    opening = "import sys; from newsmorgue.archive.catalogue import Catalogue; Catalogue(sys.argv[1])"
    command = [sys.executable, "-c", opening, catalogue_url]
    children = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [child.communicate(timeout=SECONDS)[1] for child in children] == [""] * 4
    assert list(list_stories(open_archive(tmp_path, catalogue=catalogue_url))) == []


# -- the catalogue -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "sqlite:////proc/none/catalogue.sqlite",
        "sqlite:////dev/null/catalogue.sqlite",
    ],
)
def test_a_catalogue_that_cannot_be_opened_is_said(url: str) -> None:
    with pytest.raises(CatalogueUnavailable, match=r"^catalogue "):
        Catalogue(url)


def test_a_file_that_is_no_catalogue_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite").write_bytes(b"dear diary, " * 1000)
    with pytest.raises(CatalogueUnavailable, match="file is not a database"):
        Catalogue(f"sqlite:///{tmp_path / 'notes.sqlite'}")


def test_a_password_in_the_address_is_not_said() -> None:
    with pytest.raises(CatalogueUnavailable) as caught:
        Catalogue("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
