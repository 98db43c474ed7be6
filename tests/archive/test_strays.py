"""What goes with a page comes in with it, wherever it stands: DOMs, metadata, requests."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from tests.archive.harness import BRIDGE, Visitor, captures, open_archive, rows
from tests.archive.makers import http, members, page, record, sha1
from tests.archive.test_import import bring, check, put
from warcio.archiveiterator import ArchiveIterator

from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import UNCLEANED, Role
from newsmorgue.archive.spool import WARC_SUFFIX
from newsmorgue.pipelines.clean import CleaningPool
from newsmorgue.stories.reading import list_stories, story_versions

EMPTY = b"<html><head><title>x</title><script src=/app.js></script></head><body><div id=app></div></body></html>"
FERRY = "https://news.example/2026/ferry"
DAY = "2026-02-01T08:00:00Z"
FRIDAY = "The ferry sails again on Friday, and the bridge stays closed for the rest of the year."


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return open_archive(tmp_path)


def rendered_crawl(folder: Path, *, seals_between: bool = False) -> list[Path]:
    """The WARCs of an archive that rendered two pages at the same time, as they lie in its store, in their order."""
    folder.mkdir()
    visitor = Visitor(open_archive(folder))
    bridge = visitor.record(BRIDGE, EMPTY)
    ferry = visitor.record(FERRY, EMPTY.replace(b"app", b"ferry"))
    visitor.record("https://news.example/app.js", b"fetch('/api')", role=Role.ASSET)
    if seals_between:
        visitor.recorder.commit()
        visitor.recorder.seal_now()
    visitor.recorder.keep_rendering(ferry, page(FRIDAY, headline="The ferry sails"))
    visitor.record("https://news.example/api", b"{}", role=Role.ASSET)
    visitor.recorder.keep_rendering(bridge, page())
    visitor.now += timedelta(hours=1)
    visitor.recorder.keep_rendering(visitor.record(BRIDGE, b"", status=304), page("It opens again on Friday."))
    visitor.end()
    return sorted((folder / "archive").rglob("*.warc.gz"))


def texts(archive: Archive) -> dict[str, list[str]]:
    """The texts of each story's versions, by its URL."""
    return {
        row.url: [archive.read_text(version.place).article["text"] for version in story_versions(archive, row.id)]
        for row in list_stories(archive)
    }


def check_rendered(archive: Archive) -> None:
    """The stories are those that the browser showed, and each DOM belongs to its page."""
    found = texts(archive)
    assert {url: len(versions) for url, versions in found.items()} == {BRIDGE: 2, FERRY: 1}
    assert FRIDAY in found[FERRY][0] and "opens again" not in found[BRIDGE][0] and "opens again" in found[BRIDGE][1]
    for capture in captures(archive):
        if capture.role == Role.STORY:
            dom = archive.read_rendering(capture)
            assert dom is not None and (b"ferry sails" in dom) == (capture.url == FERRY)


@pytest.mark.parametrize("form", ["gzip", "plain", "one member"])
def test_a_dom_behind_other_pages_is_found(archive: Archive, tmp_path: Path, form: str) -> None:
    (path,) = rendered_crawl(tmp_path / "other")
    if form != "gzip":
        data = gzip.decompress(path.read_bytes())
        path = put(tmp_path, "a.warc", data) if form == "plain" else put(tmp_path, "a.warc.gz", gzip.compress(data))
    counts, told = bring(archive, path, source="demo")
    assert not told and (counts["kept"], counts["passed_over"]) == (5, 1)  # warcinfo
    check_rendered(archive)
    check(archive, tmp_path)


@pytest.mark.parametrize("is_in_order", [True, False])
def test_a_dom_in_another_file_is_found(archive: Archive, tmp_path: Path, is_in_order: bool) -> None:
    paths = rendered_crawl(tmp_path / "other", seals_between=True)
    assert len(paths) == 2
    counts, told = bring(archive, *(paths if is_in_order else reversed(paths)), source="demo")
    assert not told and counts["kept"] == 5
    check_rendered(archive)
    before = rows(archive)
    again, told = bring(archive, *paths, source="demo")
    assert not told and again["kept"] == 0
    renamed = [put(tmp_path, f"{number}.warc", gzip.decompress(path.read_bytes())) for number, path in enumerate(paths)]
    again, told = bring(archive, *renamed, renamed[0], source="demo")
    assert not told and again["kept"] == 0 and rows(archive)["renderings"] == before["renderings"]
    check(archive, tmp_path)


def test_a_dom_whose_page_is_in_no_file_is_told_until_both_are_there(archive: Archive, tmp_path: Path) -> None:
    first, second = rendered_crawl(tmp_path / "other", seals_between=True)
    for _ in range(2):  # the file is not taken for one that was imported whole
        _, told = bring(archive, second, source="demo")
        lone = [one for one in told if "a browser made this" in one.what]
        assert {one.where.split("@")[0] for one in lone} == {second.name}
        assert [one.what.split(": ")[0] for one in lone] == [FERRY, BRIDGE]
    counts, told = bring(archive, first, source="demo")
    assert not told and counts["new_story"] == 0, "without what the browser made the pages are empty"
    for _ in range(2):
        _, told = bring(archive, first, second, source="demo")
        assert not told
        check_rendered(archive)
    check(archive, tmp_path)


def test_a_dom_that_comes_late_makes_no_other_version_of_what_was_seen(archive: Archive, tmp_path: Path) -> None:
    identifier, answer = record("response", BRIDGE, DAY, http(page()))
    dom = record("resource", f"urn:dom:{BRIDGE}", DAY, page(FRIDAY), Content_Type="text/html",
                 WARC_Concurrent_To=identifier)[1]  # fmt: skip
    bring(archive, put(tmp_path, "a.warc", answer))
    before = rows(archive)
    counts, told = bring(archive, put(tmp_path, "b.warc", answer + dom))
    assert counts["skipped"] == 1 and "without this DOM" in told[0].what and told[0].where == f"b.warc@{len(answer)}"
    assert rows(archive)["versions"] == before["versions"] and rows(archive)["renderings"] == []
    check(archive, tmp_path)


def test_what_describes_a_page_may_stand_at_the_end_of_the_file(archive: Archive, tmp_path: Path) -> None:
    pages = [
        record("response", url, DAY, http(page()), WARC_Block_Digest=sha1(http(page()))) for url in (BRIDGE, FERRY)
    ]
    about = [
        record("metadata", url, "2026-02-02T00:00:00Z", b"via: %d\r\n" % number, **{naming: identifier})[1]
        for naming in ("WARC_Refers_To", "WARC_Concurrent_To")
        for number, (url, (identifier, _)) in enumerate(zip((BRIDGE, FERRY), pages, strict=True))
    ]
    lone = record("metadata", BRIDGE, DAY, b"via: x\r\n", WARC_Refers_To="<urn:uuid:none>")[1]
    data = members(*(data for _, data in pages), *about, lone)
    counts, told = bring(archive, put(tmp_path, "a.warc.gz", data), source="demo")
    assert not told and (counts["kept"], counts["passed_over"]) == (2, 1)
    ids = {archive.read_capture(one).headers["warc-record-id"]: one.url for one in captures(archive)}
    (stored,) = (archive.store.get(info.key) for info in archive.store.list("warc/") if info.key.endswith(WARC_SUFFIX))
    (tmp_path / "stored").write_bytes(stored)
    with (tmp_path / "stored").open("rb") as stream:
        kept = sorted(
            (ids[one.rec_headers.get_header("WARC-Concurrent-To")], one.raw_stream.read())
            for one in ArchiveIterator(stream)
            if one.rec_type == "metadata"
        )
    assert kept == [(url, b"via: %d\r\n" % number) for number, url in enumerate((BRIDGE, FERRY)) for _ in range(2)]
    check(archive, tmp_path)


def test_a_request_far_from_its_answer_says_that_the_page_is_none(archive: Archive, tmp_path: Path) -> None:
    identifier, answer = record("response", BRIDGE, DAY, http(page()))
    other = record("response", FERRY, DAY, http(page(FRIDAY)))[1]
    asked = b"POST / HTTP/1.1\r\nHost: x\r\n\r\nq=1"
    request = record("request", BRIDGE, DAY, asked, WARC_Concurrent_To=identifier)[1]
    counts, told = bring(archive, put(tmp_path, "a.warc.gz", members(answer, other, request)))
    assert not told and (counts["kept"], counts["new_story"], counts["passed_over"]) == (2, 1, 0)
    assert [story.url for story in list_stories(archive)] == [FERRY]


def test_what_a_script_forbids_is_not_kept(archive: Archive, tmp_path: Path) -> None:
    identifier, answer = record("response", BRIDGE, DAY, http(EMPTY))
    made = page(head='<meta name="robots" content="noarchive">')
    dom = record("resource", f"urn:dom:{BRIDGE}", DAY, made, Content_Type="text/html", WARC_Concurrent_To=identifier)[1]
    counts, told = bring(archive, put(tmp_path, "a.warc.gz", members(answer, dom)))
    assert not told and (counts["kept"], counts["not_kept"]) == (0, 1)
    assert captures(archive) == []


def test_an_import_killed_before_it_said_where_the_dom_is(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records were written, and no commit came: a recovery finds the pages, not that a DOM is theirs."""
    (path,) = rendered_crawl(tmp_path / "other")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(CleaningPool, "clean", killed)
        bring(archive, path, source="demo")
    assert captures(archive) == []
    _, told = bring(archive, path, source="demo")
    assert not told
    check_rendered(archive)
    assert len(captures(archive)) == 5, "none came in twice"
    assert not [capture for capture in captures(archive) if capture.state == UNCLEANED]
    check(archive, tmp_path)
