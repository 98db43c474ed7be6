"""What ``import``, ``export`` and ``compact`` print, make and end with."""

import json
import zipfile
from pathlib import Path

import pytest
from tests.archive.makers import exchange, http, members, page
from tests.cli.command import Morgue

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
    assert come.code == 0 and "3 kept" in come.out and "1 new stories, 2 new versions, 0 skipped" in come.out
    assert [row["first_seen"][:7] for row in morgue.documents("versions", URL)] == ["2026-01", "2026-02", "2026-03"]
    again = morgue("import", str(files / "1.warc.gz"))
    assert again.code == 0 and "1 imported before" in again.out and "0 kept" in again.out

    out = morgue("export", "--format", "wacz", "-o", "out.wacz", URL, "--from", "2026-02", "--to", "2026-02")
    assert out.code == 0 and "wrote 1 captures" in out.out
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


def test_many_small_files_become_one(morgue: Morgue, files: Path) -> None:
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


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import", "not-there.warc.gz"), 2),
        (("import", "morgue.toml", "--source", "No Name"), 2),
        (("export", "--format", "zip", "-o", "x"), 2),
        (("export", "--format", "warc", "-o", "x", "--sign-key", "morgue.toml"), 2),
        (("export", "--format", "warc", "-o", "morgue.toml"), 2),
        (("export", "--format", "warc", "-o", "x", "https://unknown.example/"), 7),
        (("export", "--format", "warc", "-o", "x", "--from", "yesterday"), 8),
        (("export", "--format", "wacz", "-o", "x", "--sign-key", "morgue.toml"), 3),
        (("export", "--format", "warc", "-o", "x"), 5),
        (("compact", "unknown"), 3),
        (("compact", "unknown", "--month", "2026-13"), 2),
    ],
)
def test_what_cannot_be_done(morgue: Morgue, arguments: tuple[str, ...], code: int) -> None:
    (morgue.folder / "morgue.toml").write_text("")
    ended = morgue(*arguments)
    assert ended.code == code and ended.err
    assert not (morgue.folder / "x").exists()
