"""Web archives of other makers come in whole, once, at their own time; what is damaged is named, the rest kept."""

import asyncio
import gzip
import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
import sqlalchemy as sa
from fastwarc.stream_io import GzipWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType
from tests.archive import makers
from tests.archive.harness import BRIDGE, OTHER_TEXT, Visitor, captures, open_archive, problems, rebuilt, rows
from tests.archive.makers import exchange, http, members, page, record, sha1

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Policy
from newsmorgue.archive.foreign import Skipped
from newsmorgue.archive.repair import repair
from newsmorgue.archive.spool import WARC_SUFFIX, object_keys
from newsmorgue.archive.verify import verify
from newsmorgue.errors import CleaningStopped
from newsmorgue.pipelines.clean import CleaningPool
from newsmorgue.pipelines.importing import ImportJob
from newsmorgue.settings.configuration import Configuration, SourceConfiguration
from newsmorgue.stories.reading import find_story, list_stories, show_at, story_row, story_versions

URL = "https://news.example/bridge"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def bring(
    archive: Archive, *paths: Path, source: str | None = None, sources: dict[str, SourceConfiguration] | None = None
) -> tuple[Counter[str], list[Skipped]]:
    """Import files; what became of the records, and what was skipped."""
    told: list[Skipped] = []
    configuration = Configuration("", "", Path(), cleaning_processes=1, sources=sources or {})
    job = ImportJob(archive, configuration, lambda: NOW, source=source, tell=told.append)
    asyncio.run(job.run(paths))
    return job.counts, told


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return open_archive(tmp_path)


def put(folder: Path, name: str, data: bytes) -> Path:
    """A file to be imported."""
    path = folder / name
    path.write_bytes(data)
    return path


def blocks(archive: Archive) -> Counter[bytes]:
    """The HTTP blocks in the archive, as fastwarc reads them."""
    found: Counter[bytes] = Counter()
    for info in archive.store.list("warc/"):
        if info.key.endswith(WARC_SUFFIX):
            with archive.store.open(info.key) as stream:
                for each in ArchiveIterator(BytesIO(stream.read()), parse_http=False):
                    if each.record_type != WarcRecordType.warcinfo:
                        found[each.reader.read()] += 1
    return found


def check(archive: Archive, folder: Path) -> None:
    """Nothing is wrong with the archive, and its objects give its rows again."""
    assert problems(archive) == []
    assert rows(rebuilt(archive, f"sqlite:///{folder / 'again.sqlite'}")) == rows(archive)


# -- makers ----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not makers.has_wget(), reason="wget is not installed")
def test_what_wget_recorded(archive: Archive, tmp_path: Path) -> None:
    with makers.small_site() as site:
        counts, told = bring(archive, makers.by_wget(site, tmp_path))
    assert not told
    # wget followed /old to /story; the answer with noarchive is not kept
    assert counts["kept"] == 4 and counts["not_kept"] == 1 and counts["new_story"] == 2
    story = find_story(archive, f"{site}/old")
    assert story == find_story(archive, f"{site}/story")
    assert story_row(archive, find_story(archive, f"{site}/chunked")).headline == "The bridge is closed"
    check(archive, tmp_path)


def test_what_warcio_recorded(archive: Archive, tmp_path: Path) -> None:
    with makers.small_site() as site:
        counts, told = bring(archive, makers.by_warcio(site, tmp_path))
    assert not told and counts["kept"] == 2 and counts["new_story"] == 2
    check(archive, tmp_path)


def test_what_warcprox_recorded(archive: Archive, tmp_path: Path) -> None:
    program = shutil.which(os.environ.get("WARCPROX", "warcprox"))
    if program is None:
        pytest.skip("warcprox is not installed; name it in WARCPROX")
    with makers.small_site("127.0.0.2") as site:  # warcprox refuses to go to 127.0.0.1
        _through_warcprox(program, site, tmp_path)
        counts, told = bring(archive, *(tmp_path / "warcs").glob("*.warc.gz"))
    assert not told
    # The second look at the story is a revisit, that at /chunked too: the payload is the same
    assert counts["kept"] == 3 and counts["new_story"] == 2
    assert story_versions(archive, find_story(archive, f"{site}/story"))[0].sightings == 2
    check(archive, tmp_path)


def _through_warcprox(program: str, site: str, folder: Path) -> None:
    command = [program, "-p", "0", "-z", "-d", str(folder / "warcs"), "--dedup-db-file", str(folder / "dedup.db")]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "listening on 127.0.0.1" in line)
        opener = build_opener(ProxyHandler({"http": "http://" + said.split("listening on ")[1].strip()}))
        try:
            for path in ("/story", "/story", "/chunked"):
                opener.open(site + path, timeout=30).close()
                time.sleep(1.1)  # dates are whole seconds
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def test_what_fastwarc_wrote(archive: Archive, tmp_path: Path) -> None:
    out, written = BytesIO(), WarcRecord()
    written.init_headers(WarcRecordType.response, b"uuid:5b9a9d3e-0c0b-4a49-b1f5-1a6b0f1f6d10")
    written.headers["WARC-Target-URI"] = URL
    written.headers["WARC-Date"] = "2026-02-01T08:00:00Z"
    written.headers["Content-Type"] = "application/http; msgtype=response"
    written.set_bytes_content(http(page()))
    with GzipWriter(out) as stream:
        written.write(stream, checksum_data=True)
    counts, told = bring(archive, put(tmp_path, "fast.warc.gz", out.getvalue()))
    assert not told and counts["new_story"] == 1
    assert captures(archive)[0].time == datetime(2026, 2, 1, 8, tzinfo=UTC)
    check(archive, tmp_path)


def test_what_common_crawl_publishes(archive: Archive, tmp_path: Path) -> None:
    data = makers.common_crawl(URL, "2026-02-01T08:00:00Z", page())
    counts, told = bring(archive, put(tmp_path, "CC-NEWS-1.warc.gz", data))
    assert not told and counts["new_story"] == 1 and counts["passed_over"] == 1
    assert blocks(archive)[b"fetchTimeMs: 12\r\n"] == 1
    check(archive, tmp_path)


def test_no_record_from_elsewhere_passes_for_a_loss_of_ours(archive: Archive, tmp_path: Path) -> None:
    answer, request = exchange(URL, "2026-01-01T12:00:00Z", http(page()), Newsmorgue_Lost="all")
    counts, told = bring(archive, put(tmp_path, "a.warc.gz", members(answer, request)))
    assert not told and counts["new_story"] == 1
    report = verify(archive)
    assert (report.problems, report.losses) == ([], [])


def test_what_browsertrix_packs(archive: Archive, tmp_path: Path) -> None:
    data = makers.browsertrix({URL: ("2026-02-01T08:00:00.123Z", page())})
    counts, told = bring(archive, put(tmp_path, "crawl.wacz", data))
    assert not told and counts["new_story"] == 1
    (capture,) = captures(archive)
    assert (capture.status, capture.time.microsecond) == (200, 123_000)
    member = archive.read_bytes(capture.warc, WARC_SUFFIX, capture.offset, capture.length)
    assert b"WARC-Page-ID: 42ce\r\n" in gzip.decompress(member)
    check(archive, tmp_path)


def test_what_newsmorgue_wrote(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = open_archive(tmp_path / "other")
    visitor = Visitor(other)
    body = page()
    visitor.record(BRIDGE, body)
    visitor.recorder.commit()
    visitor.record(BRIDGE, body)
    visitor.end()
    counts, told = bring(archive, *(tmp_path / "other" / "archive").rglob("*.warc.gz"), source="demo")
    assert not told and counts["kept"] == 2
    theirs, ours = captures(other), captures(archive)
    assert [(each.url, each.time, each.kind, each.payload_digest, each.role) for each in theirs] == [
        (each.url, each.time, each.kind, each.payload_digest, each.role) for each in ours
    ]
    assert blocks(other) == blocks(archive)
    assert story_versions(archive, find_story(archive, BRIDGE))[0].sightings == 2
    check(archive, tmp_path)


# -- what is kept, and when ------------------------------------------------------------------------------------


def test_blocks_come_in_byte_for_byte(archive: Archive, tmp_path: Path) -> None:
    odd = b"HTTP/1.1 200 Fine\nContent-Type: text/html\r\nX-Odd :  two  \r\nx-odd: one\r\n\r\n" + page()
    response, request = exchange(URL, "2026-02-01T08:00:00Z", odd)
    bring(archive, put(tmp_path, "odd.warc", response + request))
    assert blocks(archive) == Counter([odd, f"GET {URL} HTTP/1.1\r\nHost: x\r\n\r\n".encode()])
    check(archive, tmp_path)


_WHOLE = page()
_HALF = _WHOLE[: len(_WHOLE) // 2]
_TYPE = "Content-Type: text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("response", "stated", "truncated"),
    [
        (http(_HALF, _TYPE), "length", "length"),
        (http(_HALF, _TYPE, f"Content-Length: {len(_WHOLE)}"), None, "unspecified"),
        (http(b"%x\r\n%b" % (len(_WHOLE), _HALF), _TYPE, "Transfer-Encoding: chunked"), None, "unspecified"),
        (
            http(gzip.compress(_WHOLE)[:-300], _TYPE, "Content-Encoding: gzip", f"Content-Length: {len(_WHOLE)}"),
            None,
            "unspecified",
        ),
    ],
    ids=["its maker says so", "short of its length", "no last chunk", "short of its length, gzip"],
)
def test_half_a_page_is_kept_but_is_no_version(
    archive: Archive, tmp_path: Path, response: bytes, stated: str | None, truncated: str
) -> None:
    data = exchange(URL, "2026-02-01T08:00:00Z", response, WARC_Truncated=stated)
    counts, told = bring(archive, put(tmp_path, "half.warc.gz", members(*data)))
    assert (counts["kept"], counts["cut"], counts["new_story"], told) == (1, 1, 0, [])
    (capture,) = captures(archive)
    assert (capture.truncated, capture.state) == (truncated, None)
    assert list(list_stories(archive)) == []
    check(archive, tmp_path)


@pytest.mark.parametrize(
    "response",
    [
        http(_WHOLE, _TYPE, "Transfer-Encoding: chunked"),
        http(_WHOLE, _TYPE, "Content-Encoding: gzip", f"Content-Length: {2 * len(_WHOLE)}"),
        http(_WHOLE, _TYPE, "Content-Length: unknown"),
        http(_WHOLE, _TYPE, "Content-Length: 5"),
    ],
    ids=["chunks undone", "gzip undone", "no number", "longer than its length"],
)
def test_a_page_whose_coding_its_maker_undid_is_whole(archive: Archive, tmp_path: Path, response: bytes) -> None:
    data = exchange(URL, "2026-02-01T08:00:00Z", response)
    counts, _ = bring(archive, put(tmp_path, "whole.warc.gz", members(*data)))
    assert (counts["cut"], counts["new_story"]) == (0, 1)
    assert captures(archive)[0].truncated is None


def test_a_revisit_of_half_a_page_is_no_version(archive: Archive, tmp_path: Path) -> None:
    first = exchange(URL, "2026-02-01T08:00:00Z", http(_HALF, _TYPE), WARC_Truncated="time")
    again = record(
        "revisit",
        f"{URL}?again",
        "2026-02-02T08:00:00Z",
        http(b"", _TYPE),
        WARC_Refers_To_Target_URI=URL,
        WARC_Refers_To_Date="2026-02-01T08:00:00Z",
        WARC_Payload_Digest=sha1(_HALF),
    )[1]
    counts, told = bring(archive, put(tmp_path, "half.warc.gz", members(*first, again)))
    assert (counts["kept"], counts["cut"], counts["new_story"], told) == (2, 2, 0, [])
    check(archive, tmp_path)


def test_an_older_archive_interleaves_its_versions(archive: Archive, tmp_path: Path) -> None:
    late = exchange(URL, "2026-03-01T00:00:00Z", http(page("Now it is open again, says the mayor of the town.")))
    early = exchange(URL, "2026-01-01T00:00:00Z", http(page(head='<link rel=canonical href="/elsewhere">')))
    between = exchange(URL, "2026-02-01T00:00:00Z", http(page("A second tower is in danger, an engineer said.")))
    bring(archive, put(tmp_path, "late.warc.gz", members(*late)))
    bring(archive, put(tmp_path, "early.warc.gz", members(*early, *between)))
    story = find_story(archive, URL)
    versions = story_versions(archive, story)
    assert [version.first_seen.month for version in versions] == [1, 2, 3]
    assert "second tower" in show_at(archive, story, datetime(2026, 2, 10, tzinfo=UTC)).article.text
    assert story_row(archive, story).url == URL  # what an older page says of its address counts no more
    check(archive, tmp_path)


def test_importing_twice_adds_nothing(archive: Archive, tmp_path: Path) -> None:
    data = members(*exchange(URL, "2026-03-01T00:00:00Z", http(page())))
    bring(archive, put(tmp_path, "a.warc.gz", data))
    before = rows(archive)
    counts, _ = bring(archive, tmp_path / "a.warc.gz", put(tmp_path, "copy.warc.gz", data))
    assert counts["files_known"] == 2 and rows(archive) == before
    counts, _ = bring(archive, put(tmp_path, "plain.warc", gzip.decompress(data)))
    assert (counts["kept"], counts["known"]) == (0, 1)
    assert len(captures(archive)) == 1


def test_what_a_site_repeats_is_learned_from_imports_and_makes_no_version(archive: Archive, tmp_path: Path) -> None:
    line = "Reported from the newsroom of the Gazette on the island"

    def month(number: int) -> bytes:
        data = b""
        for story in range(10):
            own = (
                f"<html><head><title>Ferry {story}</title><meta property=og:type content=article></head><body><article>"
                f"<h1>Ferry {story}</h1><p>In district {story} the council voted on day {story + 3} to keep it.</p>"
                f"<p>Of its members {story + 40} agreed, and nobody in district {story} had thought so.</p>"
                f"<p>{line}</p></article></body></html>"
            )
            url, day = f"https://news.example/2026/ferry-{story}", f"2026-0{number}-{story + 1:02}T00:00:00Z"
            data += members(*exchange(url, day, http(own.encode())))
        return data

    bring(archive, put(tmp_path, "first.warc.gz", month(1)))
    assert all(line in show_at(archive, row.id, None).article.text for row in list_stories(archive))
    counts, told = bring(archive, put(tmp_path, "second.warc.gz", month(2)))
    assert (told, counts["unchanged"], counts["new_version"]) == ([], 10, 0)
    for row in list_stories(archive):
        assert row.versions == 1
        assert show_at(archive, row.id, None).article.repeated == (line,)
    check(archive, tmp_path)


def test_a_url_goes_to_its_source(archive: Archive, tmp_path: Path) -> None:
    data = [
        each
        for host in ("a", "b")
        for each in exchange(f"https://{host}.example/x", "2026-03-01T00:00:00Z", http(page()))
    ]
    known = {"alpha": SourceConfiguration("alpha", "https://a.example/")}
    bring(archive, put(tmp_path, "two.warc", b"".join(data)), sources=known)
    assert {story.source for story in list_stories(archive)} == {"alpha", "b.example"}


def test_more_sources_than_are_held_open(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsmorgue.capture.copying._MOST_OPEN", 2)
    urls = [f"https://{host}.example/{number}" for number in (1, 2) for host in "abc"]
    data = [each for url in urls for each in exchange(url, "2026-03-01T00:00:00Z", http(page()))]
    counts, told = bring(archive, put(tmp_path, "many.warc", b"".join(data)))
    assert not told and counts["new_story"] == 6 and archive.spool.names() == []
    check(archive, tmp_path)


def test_a_story_that_was_gone(archive: Archive, tmp_path: Path) -> None:
    seen = exchange(URL, "2026-01-01T00:00:00Z", http(page()))
    gone = exchange(URL, "2026-02-01T00:00:00Z", http(b"", status="HTTP/1.1 410 Gone"))
    bring(archive, put(tmp_path, "g.warc", b"".join(seen + gone)))
    assert story_row(archive, find_story(archive, URL)).gone_since == datetime(2026, 2, 1, tzinfo=UTC)
    later = exchange(URL, "2026-03-01T00:00:00Z", http(page()))
    bring(archive, put(tmp_path, "l.warc", b"".join(later)))
    assert story_row(archive, find_story(archive, URL)).gone_since is None
    earlier = exchange(URL, "2026-02-10T00:00:00Z", http(b"", status="HTTP/1.1 410 Gone"))
    bring(archive, put(tmp_path, "e.warc", b"".join(earlier)))
    assert story_row(archive, find_story(archive, URL)).gone_since is None
    check(archive, tmp_path)


@pytest.mark.parametrize("is_redirect_first", [True, False])
@pytest.mark.parametrize(("headline", "stories"), [("The bridge is closed", 1), ("Three schools are built", 2)])
def test_a_story_that_moved_is_one_where_it_tells_the_same(
    archive: Archive, tmp_path: Path, is_redirect_first: bool, headline: str, stories: int
) -> None:
    moved_to = f"{URL}-over-the-river"
    article = '<meta property="og:type" content="article">'
    schools = OTHER_TEXT.replace("\n\n", "</p><p>")
    told = (
        page()
        if stories == 1
        else re.sub(rb"<p>.*</p>", f"<p>{schools}</p>".encode(), page(headline=headline, head=article))
    )
    before = exchange(URL, "2026-01-01T00:00:00Z", http(page()))
    redirect = exchange(
        URL, "2026-02-01T00:00:00Z", http(b"", f"Location: {moved_to}", status="HTTP/1.1 301 Moved Permanently")
    )
    after = exchange(moved_to, "2026-02-01T00:00:01Z", http(told))
    then = redirect + after if is_redirect_first else after + redirect
    bring(archive, put(tmp_path, "m.warc", b"".join(before + then)))
    assert len(list(list_stories(archive))) == stories
    assert (find_story(archive, URL) == find_story(archive, moved_to)) is (stories == 1)
    check(archive, tmp_path)


def test_revisits_of_warc_1_0_name_a_record(archive: Archive, tmp_path: Path) -> None:
    identifier, first = record("response", URL, "2026-01-01T00:00:00Z", http(page()), "1.0")
    profile = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
    again = record("revisit", URL, "2026-01-02T00:00:00Z", b"", "1.0", WARC_Profile=profile,
                   WARC_Refers_To=identifier, Content_Type=None)[1]  # fmt: skip
    counts, told = bring(archive, put(tmp_path, "r.warc", first + again))
    assert not told and counts["kept"] == 2
    assert story_versions(archive, find_story(archive, URL))[0].sightings == 2
    check(archive, tmp_path)


def test_a_revisit_may_come_before_what_it_repeats(archive: Archive, tmp_path: Path) -> None:
    body = page()
    refers = {"WARC_Refers_To_Target_URI": URL, "WARC_Refers_To_Date": "2026-01-01T00:00:00Z"}
    head = http(b"", "Content-Type: text/html")
    again = record("revisit", URL, "2026-01-02T00:00:00Z", head, WARC_Payload_Digest=sha1(body), **refers)[1]
    first = exchange(URL, "2026-01-01T00:00:00Z", http(body))
    paths = put(tmp_path, "1.warc", again), put(tmp_path, "2.warc", b"".join(first))
    counts, told = bring(archive, *paths)
    assert not told and counts["kept"] == 2
    check(archive, tmp_path)


def test_a_revisit_of_what_is_not_here_is_left_out(archive: Archive, tmp_path: Path) -> None:
    refers = {"WARC_Refers_To_Target_URI": URL, "WARC_Refers_To_Date": "2026-01-01T00:00:00Z"}
    alone = record("revisit", URL, "2026-01-02T00:00:00Z", http(b""), **refers)[1]
    counts, told = bring(archive, put(tmp_path, "1.warc", alone))
    assert counts["skipped"] == 1 and "not in the archive" in told[0].what
    assert captures(archive) == []


# -- damage ----------------------------------------------------------------------------------------------------


def stories_at(count: int) -> list[bytes]:
    """That many exchanges, all of one second each."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    urls = [(f"https://news.example/{number}", start + timedelta(seconds=number)) for number in range(count)]
    return [exchange(url, at.strftime("%Y-%m-%dT%H:%M:%SZ"), http(page(url)))[0] for url, at in urls]


def kept(archive: Archive) -> list[str]:
    """The last part of each kept URL."""
    return [capture.url.rpartition("/")[2] for capture in captures(archive)]


def test_a_file_cut_short(archive: Archive, tmp_path: Path) -> None:
    packed = [gzip.compress(each) for each in stories_at(3)]
    counts, told = bring(archive, put(tmp_path, "cut.warc.gz", b"".join(packed)[:-20]))
    assert kept(archive) == ["0", "1"] and counts["skipped"] == 1
    assert told[0].where == f"cut.warc.gz@{len(packed[0] + packed[1])}" and "ends within" in told[0].what
    check(archive, tmp_path)


@pytest.mark.parametrize("place", [0, 1, 12, 300, -6, -1])
def test_a_flipped_bit_costs_one_record(archive: Archive, tmp_path: Path, place: int) -> None:
    packed = [bytearray(gzip.compress(each, mtime=0)) for each in stories_at(3)]
    packed[1][place] ^= 0x10
    counts, told = bring(archive, put(tmp_path, "flip.warc.gz", b"".join(packed)))
    assert kept(archive) == ["0", "2"] and counts["skipped"] >= 1
    assert told[0].where == f"flip.warc.gz@{len(packed[0])}"
    check(archive, tmp_path)


def test_a_flipped_bit_in_a_plain_file_shows_in_the_digest(archive: Archive, tmp_path: Path) -> None:
    one, two = stories_at(2)
    damaged = bytearray(one)
    damaged[-100] ^= 1
    _, told = bring(archive, put(tmp_path, "flip.warc", bytes(damaged) + two))
    assert kept(archive) == ["1"] and told[0].where == "flip.warc@0" and "Digest" in told[0].what


@pytest.mark.parametrize("name", ["between.warc", "between.warc.gz"])
def test_garbage_between_records(archive: Archive, tmp_path: Path, name: str) -> None:
    one, two = stories_at(2)
    parts = (
        [gzip.compress(one), b"garbage" * 9, gzip.compress(two)] if name.endswith("gz") else [one, b"garbage" * 9, two]
    )
    counts, told = bring(archive, put(tmp_path, name, b"".join(parts)))
    assert kept(archive) == ["0", "1"] and counts["skipped"] == 1
    assert told[0].where == f"{name}@{len(parts[0])}"


def test_one_gzip_member_for_all_records(archive: Archive, tmp_path: Path) -> None:
    counts, told = bring(archive, put(tmp_path, "one.warc.gz", gzip.compress(b"".join(stories_at(3)))))
    assert not told and counts["kept"] == 3
    check(archive, tmp_path)


def test_what_is_no_archive_at_all(archive: Archive, tmp_path: Path) -> None:
    paths = [put(tmp_path, "a.warc.gz", b"<html>"), put(tmp_path, "b.wacz", b"PK\x03\x04 and no more")]
    counts, told = bring(archive, *paths)
    assert counts["kept"] == 0 and {each.where for each in told} == {"a.warc.gz", "b.wacz"}


def test_a_wacz_cut_short(archive: Archive, tmp_path: Path) -> None:
    pages = {f"https://news.example/{number}": ("2026-02-01T08:00:00Z", page(str(number))) for number in range(3)}
    data = makers.browsertrix(pages)
    counts, told = bring(archive, put(tmp_path, "whole.wacz", data[: data.index(b"PK\x01\x02")]))
    assert told[0].what.startswith("not a whole ZIP file") and counts["kept"] == counts["new_story"] == 3
    check(archive, tmp_path)
    (tmp_path / "other").mkdir()
    other = open_archive(tmp_path / "other")
    gzip_begins = [found.start() for found in re.finditer(rb"\x1f\x8b\x08", data)]
    counts, told = bring(other, put(tmp_path, "half.wacz", data[: gzip_begins[-3] + 99]))  # within the last response
    assert counts["kept"] == 2 and told[-1].what == "the file ends within this gzip member"


def test_a_zip_without_a_warc_says_so(archive: Archive, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.writestr("holiday.jpg", b"x")
    counts, told = bring(archive, tmp_path / "a.zip")
    assert counts["kept"] == 0 and [each.what for each in told] == ["a ZIP file without a WARC in its folder 'archive'"]


def test_a_wacz_that_unpacks_to_too_much(archive: Archive, tmp_path: Path) -> None:

    with zipfile.ZipFile(tmp_path / "bomb.wacz", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("archive/a.warc", bytes(30_000_000))
        package.writestr("archive/../../etc/b.warc", b"")
    counts, told = bring(archive, tmp_path / "bomb.wacz")
    assert counts["kept"] == 0 and "claims to unpack" in told[0].what and len(told) == 1


def test_what_is_reserved_is_counted_once_beside_a_revisit_that_waits(archive: Archive, tmp_path: Path) -> None:
    closed = exchange("https://news.example/a", "2026-01-01T12:00:00Z", http(page(), "X-Robots-Tag: noarchive"))
    refers = {"WARC_Refers_To_Target_URI": URL, "WARC_Refers_To_Date": "2026-01-01T12:00:00Z"}
    again = record("revisit", URL, "2026-02-01T12:00:00Z", http(b""), **refers)[1]
    path = put(tmp_path, "a.warc.gz", members(*closed, again))
    counts, told = bring(archive, path)
    assert counts["not_kept"] == 1 and len(told) == 1
    with archive.catalogue.read() as connection:
        count = sa.select(sa.func.count()).where(schema.audit.c.action == "not_kept")
        assert connection.execute(count).scalar() == 1


def test_what_was_imported_and_lost_comes_in_again(archive: Archive, tmp_path: Path) -> None:
    path = put(tmp_path, "a.warc.gz", members(*exchange(URL, "2026-01-01T12:00:00Z", http(page()))))
    assert bring(archive, path)[0]["kept"] == 1
    assert bring(archive, path)[0]["files_known"] == 1
    (first,) = captures(archive)
    archive.store.delete(object_keys(first.warc).warc)
    assert "no capture lost" not in " ".join(repair(archive, NOW))
    counts, _ = bring(archive, path)
    assert (counts["files_known"], counts["kept"], counts["unchanged"]) == (0, 1, 1)
    assert show_at(archive, find_story(archive, URL), None).require_capture().warc != first.warc
    assert bring(archive, path)[0]["files_known"] == 1
    check(archive, tmp_path)


def test_a_page_that_the_machine_had_no_time_for_is_cleaned_by_the_next_import(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, "a.warc.gz", members(*exchange(URL, "2026-01-01T12:00:00Z", http(page()))))

    async def stopped(*_: object) -> None:
        raise CleaningStopped("it took more than 10 s")

    monkeypatch.setattr(CleaningPool, "clean", stopped)
    counts, _ = bring(archive, path)
    assert (counts["kept"], counts["later"], counts["new_story"]) == (1, 1, 0)
    monkeypatch.undo()
    counts, _ = bring(archive, path)
    assert (counts["kept"], counts["later"], counts["new_story"]) == (0, 0, 1)
    assert bring(archive, path)[0]["files_known"] == 1
    check(archive, tmp_path)


def test_an_import_that_was_stopped_goes_on(archive: Archive, tmp_path: Path) -> None:
    path = put(tmp_path, "many.warc", b"".join(stories_at(6)))
    recorder_commits = 0

    class Stopped(Exception):
        pass

    async def stopped() -> None:
        job = ImportJob(archive, Configuration("", "", Path(), cleaning_processes=1), lambda: NOW)
        take = job._take

        async def counting(copied: object, is_last: bool) -> None:
            nonlocal recorder_commits
            recorder_commits += 1
            if recorder_commits == 4:
                job._commit()
                raise Stopped
            await take(copied, is_last)  # type: ignore[arg-type]

        job._take = counting  # type: ignore[method-assign]
        await job.run([path])

    with pytest.raises(Stopped):
        asyncio.run(stopped())
    assert len(captures(archive)) == 3
    counts, told = bring(archive, path)
    assert not told and counts["kept"] == 3
    assert len(list(list_stories(archive))) == 6 and {capture.state for capture in captures(archive)} == {"cleaned"}
    check(archive, tmp_path)


# -- what a site reserves --------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", list(Policy))
def test_what_is_reserved_is_left_out_but_where_all_may_be_kept(
    archive: Archive, tmp_path: Path, policy: Policy
) -> None:
    fields = ("Content-Type: text/html", "X-Robots-Tag: noarchive", "TDM-Reservation: 1")
    by_header = exchange("https://news.example/a", "2026-01-01T12:00:00Z", http(page(), *fields))
    other = http(page("The council has met.", headline="Three schools"))
    file_says = "tdm-reservation (tdmrep.json); ai (robots.txt: CCBot)"
    elsewhere = exchange("https://news.example/b", "2026-01-01T12:01:00Z", other, Newsmorgue_Reserved=file_says)
    path = put(tmp_path, "a.warc.gz", members(*by_header, *elsewhere))
    sources = {"demo": SourceConfiguration("demo", "https://news.example/", policy=policy)}
    counts, told = bring(archive, path, sources=sources)
    assert not told
    said = {"/a": "noarchive (X-Robots-Tag); tdm-reservation (header)", "/b": file_says}
    if policy is Policy.ALL:
        assert {each.url[-2:]: each.reserved for each in captures(archive)} == said and counts["new_story"] == 2
    else:
        assert captures(archive) == [] and counts["not_kept"] == 2
        free = {"demo": SourceConfiguration("demo", "https://news.example/", policy=Policy.ALL)}
        assert bring(archive, path, sources=free)[0]["kept"] == 2  # the operator may think better of it
    check(archive, tmp_path)
