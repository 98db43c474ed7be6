"""What ``import``, ``export`` and ``compact`` print, make and end with."""

import json
import signal
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.archive.makers import exchange, http, members, page
from tests.cli.command import Morgue, finished
from tests.crawl.hurried import HELD, IDLE, HurriedMorgue
from tests.processes import wait_until, within_one_month

from newsmorgue.archive.journal import members as split

URL = "https://news.example/bridge"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Three months of one story, and a file that ends too soon."""
    folder = tmp_path / "files"
    folder.mkdir()
    for month in (1, 2, 3):
        answer = http(page(f"It is the month number {month} of the repairs, and nothing has been decided."))
        (folder / f"{month}.warc.gz").write_bytes(members(*exchange(URL, f"2026-0{month}-01T12:00:00Z", answer)))
    cut = members(exchange("https://news.example/cut", "2026-03-02T12:00:00Z", http(page()))[0])[:-9]
    (folder / "cut.warc.gz").write_bytes((folder / "1.warc.gz").read_bytes() + cut)
    return folder


@pytest.fixture
def morgue(tmp_path: Path) -> Morgue:
    folder = tmp_path / "news"
    folder.mkdir()
    return Morgue(folder)


def test_in_and_out_and_in_again(morgue: Morgue, files: Path, tmp_path: Path) -> None:
    come = morgue("import", *(str(files / f"{month}.warc.gz") for month in (1, 2, 3)), "--source", "harbour")
    assert come.code == 0 and "3 kept" in come.out and "1 new story, 2 new versions, 0 skipped" in come.out
    assert [row["first_seen"][:7] for row in morgue.documents("versions", URL)] == ["2026-01", "2026-02", "2026-03"]
    again = morgue("import", str(files / "1.warc.gz"))
    assert again.code == 0 and "1 imported before" in again.out and "0 kept" in again.out

    out = morgue("export", "--format", "wacz", "-o", "out.wacz", URL, "--from", "2026-02", "--to", "2026-02")
    assert out.code == 0 and "wrote 1 capture to out.wacz" in out.out
    with zipfile.ZipFile(morgue.folder / "out.wacz") as package:
        pages = package.read("pages/pages.jsonl").splitlines()
    assert [json.loads(line)["ts"] for line in pages[1:]] == ["2026-02-01T12:00:00.000Z"]

    other = tmp_path / "other"
    other.mkdir()
    assert Morgue(other)("import", str(morgue.folder / "out.wacz")).code == 0
    assert len(Morgue(other).documents("versions", URL)) == 1


def test_damage_is_named_and_has_its_code(morgue: Morgue, files: Path) -> None:
    come = morgue("import", str(files / "cut.warc.gz"))
    assert come.code == 11 and "1 kept" in come.out and "1 skipped" in come.out
    assert "cut.warc.gz@" in come.err and "ends within" in come.err
    assert morgue("import", str(files / "cut.warc.gz")).code == 11
    assert morgue("verify").code == 0


def test_a_page_that_could_not_be_cleaned_in_time_is_named_and_has_its_code(morgue: Morgue) -> None:
    answer = http(page())
    (morgue.folder / "1.warc.gz").write_bytes(members(*exchange(URL, "2026-01-01T12:00:00Z", answer)))
    hurried = HurriedMorgue(morgue.folder, {IDLE: "1"})("import", "1.warc.gz")
    assert hurried.code == 4 and "1 kept" in hurried.out and "1 to be cleaned later" in hurried.out
    assert f"  not cleaned: {URL}: it took more than" in hurried.err
    come = morgue("import", "1.warc.gz")
    assert (come.code, come.err) == (0, "") and "1 new story," in come.out


def test_many_small_files_become_one(morgue: Morgue, files: Path) -> None:
    within_one_month()
    for month in (1, 2, 3):
        assert morgue("import", str(files / f"{month}.warc.gz"), "--source", "harbour").code == 0
    before = morgue.documents("versions", URL)
    done = morgue("compact", "harbour")
    assert done.code == 0 and "merged 3 files" in done.out
    assert "nothing to merge" in morgue("compact", "harbour").out
    assert len(list((morgue.folder / "archive" / "warc").rglob("*.warc.gz"))) == 1
    assert morgue.documents("versions", URL) == before
    assert morgue("show", URL, "--version", "1").code == 0
    assert morgue("verify").code == 0 and morgue("reindex", "--replace").code == 0
    assert morgue.documents("versions", URL) == before and morgue("verify").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_import_that_is_interrupted_goes_on(morgue: Morgue, number: signal.Signals) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [(start + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ") for second in range(400)]
    stories = [exchange(f"https://news.example/{at}", at, http(page(at, headline=f"At {at}"))) for at in times]
    (morgue.folder / "many.warc.gz").write_bytes(b"".join(members(*story) for story in stories))
    running = HurriedMorgue(morgue.folder, {HELD: times[300]}).start("import", "many.warc.gz")
    wait_until(lambda: [path for path in morgue.folder.rglob("*.jsonl.gz") if path.stat().st_size > 20_000])
    running.send_signal(number)
    ended = finished(running)
    assert (ended.code, ended.out) == (6, "")
    assert ended.err == "  interrupted; what came in is kept, and the same command goes on with the rest\n"
    assert not list((morgue.folder / "archive").rglob("*.warc.gz"))
    again = morgue("import", "many.warc.gz")
    assert again.code == 0 and 0 < int(again.out.removeprefix("imported 1 file: ").split()[0]) < 400
    assert len(morgue.documents("stories")) == 400 and morgue("verify").code == 0


@pytest.mark.parametrize(
    ("command", "place"),
    [("verify", "newsmorgue.archive.checks._RecordIds"), ("import", "newsmorgue.archive.known.RecordIds")],
)
def test_a_full_disk_of_temporary_files_is_named(
    morgue: Morgue, files: Path, command: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    assert morgue("import", str(files / "1.warc.gz")).code == 0
    monkeypatch.setattr(f"{place}.add", full)
    ended = morgue.ask(*{"verify": ("verify",), "import": ("import", str(files / "2.warc.gz"))}[command])
    assert (ended.code, ended.out) == (13, "")
    assert ended.err.startswith("morgue: a temporary file in ") and "full; make room there" in ended.err


@pytest.mark.parametrize("form", ["warc", "wacz"])
def test_an_export_of_what_is_damaged_names_the_place(morgue: Morgue, files: Path, form: str) -> None:
    assert morgue("import", str(files / "1.warc.gz")).code == 0
    (warc,) = (morgue.folder / "archive" / "warc").rglob("*.warc.gz")
    with warc.open("rb") as stream:
        *_, (offset, _, _) = split(stream, "")  # the request, behind its response
    data = bytearray(warc.read_bytes())
    data[offset + 100] ^= 1
    warc.write_bytes(data)
    ended = morgue("export", "--format", form, "-o", f"out.{form}")
    assert (ended.code, ended.out) == (11, "")
    assert ended.err.startswith(f"morgue: {warc.name}@{offset}: damaged gzip member") and ended.err.count("\n") == 1
    assert not list(morgue.folder.glob("*out*"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import", "not-there.warc.gz"), 2),
        (("import", "morgue.toml", "--source", "No Name"), 2),
        (("import", "morgue.toml"), 11),
        (("import", "/dev/null"), 2),
        (("export", "--format", "warc", "-o", "not-there/x"), 2),
        (("export", "--format", "warc", "-o", "x", "--source", "unknown"), 3),
        (("export", "--format", "zip", "-o", "x"), 2),
        (("export", "--format", "warc", "-o", "x", "--sign-key", "morgue.toml"), 2),
        (("export", "--format", "warc", "-o", "morgue.toml"), 2),
        (("export", "--format", "warc", "-o", "x", "https://unknown.example/"), 7),
        (("export", "--format", "warc", "-o", "x", "--from", "yesterday"), 8),
        (("export", "--format", "wacz", "-o", "x", "--sign-key", "morgue.toml"), 3),
        (("export", "--format", "warc", "-o", "x"), 5),
        (("compact", "unknown"), 3),
        (("seal", "unknown"), 3),
        (("compact", "unknown", "--month", "2026-13"), 2),
    ],
)
def test_what_cannot_be_done(morgue: Morgue, arguments: tuple[str, ...], code: int) -> None:
    (morgue.folder / "morgue.toml").write_text("")
    ended = morgue(*arguments)
    assert ended.code == code and ended.err
    assert not (morgue.folder / "x").exists()


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"hello\n" * 9, "is neither a WARC nor a WACZ")], ids=["empty", "text"]
)
def test_what_is_no_archive_at_all_is_called_so(morgue: Morgue, content: bytes, said: str) -> None:
    (morgue.folder / "notes.warc.gz").write_bytes(content)
    ended = morgue("import", "notes.warc.gz")
    assert ended.code == 11 and f"skipped: notes.warc.gz: {said}" in ended.err


@pytest.mark.parametrize(
    "arguments", [("import", "1.warc.gz"), ("crawl", "http://127.0.0.1:1/"), ("save", "http://127.0.0.1:1/a")]
)
def test_a_spool_that_cannot_be_made_is_named(morgue: Morgue, files: Path, arguments: tuple[str, ...]) -> None:
    (morgue.folder / "archive-spool").write_text("in its place")
    (morgue.folder / "1.warc.gz").write_bytes((files / "1.warc.gz").read_bytes())
    ended = morgue(*arguments)
    assert ended.code == 13
    assert f"spool {morgue.folder}/archive-spool" in ended.err and "mend the folder" in ended.err
