"""What the frontier does with the assets of stories."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from tests.archive.harness import (
    BRIDGE,
    OTHER_TEXT,
    TEXT,
    Visitor,
    article,
    captures,
    exchange,
    open_archive,
    problems,
    rebuilt,
    rows,
)

from newsmorgue.archive import frontier, schema
from newsmorgue.archive.archive import Archive
from newsmorgue.archive.capture import Role
from newsmorgue.archive.recovery import adopt
from newsmorgue.capture.recorder import Recorder
from newsmorgue.stories.assets import DiscoverAssets
from newsmorgue.stories.filing import EndVisit, FilePage, Visit
from newsmorgue.stories.identity import Address

STYLE = "https://cdn.example/style.css?v=1"
PICTURE = "https://news.example/bridge.jpg"
CSS = (b"Content-Type: text/css",)


def file(visitor: Visitor, url: str, text: str, *assets: str) -> None:
    """A story's page that shows these files."""
    capture = visitor.record(url, text.encode())
    visitor.settle(FilePage(visitor.visit(url, capture), article(url, text), assets=assets))


def fetch(visitor: Visitor, url: str, body: bytes = b"p { color: red }", outcome: str = "stored") -> str:
    """The asset is fetched; what the run counts it as."""
    capture = visitor.record(url, body, role=Role.ASSET, headers=CSS)
    visit = Visit(Address(visitor.source, frozenset(), url, url), visitor.run, "new", Role.ASSET, capture)
    return visitor.settle(EndVisit(visit, outcome))


def due(archive: Archive, now: datetime, *, assets: bool = True) -> list[tuple[str, str, str]]:
    """What a run would be given, in its order; nothing stays in hand."""
    with archive.catalogue.write() as connection:
        claims = frontier.claim(connection, "demo", "looking", now, 100, assets=assets)
        frontier.release(connection, "looking")
    return [(claim.role.value, claim.url, claim.reason) for claim in claims]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return open_archive(tmp_path)


def test_assets_wait_for_the_stories_and_are_left_where_none_are_wanted(archive: Archive) -> None:
    visitor = Visitor(archive)
    file(visitor, BRIDGE, TEXT, STYLE, PICTURE)
    visitor.now += timedelta(minutes=1)
    visitor.mention("https://news.example/2026/late")
    stories = [("story", "https://news.example/2026/late", "new")]
    found = due(archive, visitor.now)
    assert found[:1] == stories
    assert sorted(found[1:]) == [("asset", STYLE, "new"), ("asset", PICTURE, "new")]
    assert due(archive, visitor.now, assets=False) == [story for story in found if story[0] != "asset"][:1]


def test_an_asset_of_many_pages_is_fetched_once(archive: Archive) -> None:
    visitor = Visitor(archive)
    file(visitor, BRIDGE, TEXT, STYLE)
    assert fetch(visitor, STYLE) == "asset"
    file(visitor, "https://news.example/2026/schools", OTHER_TEXT, STYLE, PICTURE)
    assert [url for role, url, _ in due(archive, visitor.now) if role == "asset"] == [PICTURE]


def test_after_a_week_a_new_page_and_no_other_has_an_asset_looked_at_again(archive: Archive) -> None:
    visitor = Visitor(archive)
    file(visitor, BRIDGE, TEXT, STYLE)
    fetch(visitor, STYLE)
    visitor.now += timedelta(days=8)
    file(visitor, BRIDGE, TEXT, STYLE)
    assert [claim for claim in due(archive, visitor.now) if claim[0] == "asset"] == []
    file(visitor, "https://news.example/2026/schools", OTHER_TEXT, STYLE)
    assert [claim for claim in due(archive, visitor.now) if claim[0] == "asset"] == [("asset", STYLE, "recheck")]


def test_a_failed_asset_is_no_trouble_of_the_run(archive: Archive) -> None:
    visitor = Visitor(archive)
    began = visitor.now
    file(visitor, BRIDGE, TEXT, STYLE)
    assert [fetch(visitor, STYLE, outcome=outcome) for outcome in ("failed", "retry", "gone", "disallowed")] == [
        "asset_failed"
    ] * 4
    assert fetch(visitor, STYLE, outcome="failed") == "asset_failed"
    with archive.catalogue.read() as connection:
        assert frontier.troubles(connection, "demo", began) == []


def test_a_page_and_an_asset_of_one_address_are_two_things(archive: Archive) -> None:
    visitor = Visitor(archive)
    file(visitor, BRIDGE, TEXT, "https://news.example/2026/schools")
    visitor.mention("https://news.example/2026/schools")
    assert [role for role, _, _ in due(archive, visitor.now)] == ["story", "asset"]
    with archive.catalogue.write() as connection:
        frontier.make_stories_due(connection, "demo", visitor.now)
    fetch(visitor, "https://news.example/2026/schools")
    assert [role for role, _, _ in due(archive, visitor.now)] == ["story", "story"]


def test_a_reindex_gives_the_same_rows(archive: Archive, tmp_path: Path) -> None:
    visitor = Visitor(archive)
    file(visitor, BRIDGE, TEXT, STYLE, PICTURE)
    fetch(visitor, STYLE)
    visitor.settle(DiscoverAssets("demo", STYLE, ("https://cdn.example/font.woff2",), 1))
    visitor.now += timedelta(days=8)
    file(visitor, "https://news.example/2026/schools", OTHER_TEXT, STYLE, PICTURE)
    fetch(visitor, STYLE)
    fetch(visitor, PICTURE, outcome="failed")
    visitor.end()
    assert problems(archive) == []
    assert rows(rebuilt(archive, f"sqlite:///{tmp_path / 'new.sqlite'}")) == rows(archive)


def test_an_asset_of_a_killed_run_is_no_page_to_be_cleaned(archive: Archive) -> None:
    visitor = Visitor(archive)
    visitor.settle(DiscoverAssets("demo", BRIDGE, (STYLE,)))
    visitor.record(STYLE, b"<html>an error page</html>", role=Role.ASSET)
    visitor.recorder.abandon()
    with_asset = adopt(archive, archive.spool.names()[0], visitor.now)
    assert with_asset is not None
    with_asset.close()
    assert [(one.url, one.role, one.state) for one in captures(archive)] == [(STYLE, "asset", None)]


def dedupe(visitor: Visitor) -> None:
    """From now on as a source with ``dedupe_across_urls``."""
    visitor.recorder.finish()
    info = {"isPartOf": visitor.source}
    visitor.recorder = Recorder(visitor.archive, visitor.source, info, lambda: visitor.now, dedupe_across_urls=True)


@pytest.mark.parametrize("committed", [True, False])
def test_one_payload_under_two_addresses_is_stored_once_where_the_source_allows(
    archive: Archive, committed: bool
) -> None:
    visitor = Visitor(archive)
    visitor.record(PICTURE, b"pixels", role=Role.ASSET)
    visitor.record(f"{PICTURE}?size=l", b"pixels", role=Role.ASSET)
    dedupe(visitor)
    first = visitor.record(f"{PICTURE}?size=x", b"other pixels", role=Role.ASSET)
    if committed:
        visitor.recorder.commit()
    second = visitor.record(f"{PICTURE}?size=xl", b"other pixels", role=Role.ASSET)
    page = visitor.record(BRIDGE, b"other pixels")
    visitor.recorder.finish()
    assert [one.kind for one in captures(archive)] == ["response", "response", "response", "revisit", "revisit"]
    for again in (second, page):
        assert (again.refers_to_url, again.refers_to_time) == (first.url, first.time)
    headers = archive.read_capture(second).headers
    assert headers["warc-refers-to-target-uri"] == f"{PICTURE}?size=x"
    assert headers["warc-profile"].endswith("identical-payload-digest")
    assert problems(archive) == []


def test_of_an_address_that_was_never_fetched_only_others_are_looked_for(archive: Archive) -> None:
    visitor = Visitor(archive)
    first = visitor.record(BRIDGE, b"one text")
    dedupe(visitor)
    asked: list[str] = []
    # The index of captures begins with the address; that of payloads does not.
    hear = event.listens_for(archive.catalogue._engine, "before_cursor_execute")
    hear(lambda _, __, statement, *___: asked.append(statement) if "captures.surt =" in statement else None)
    taken = visitor.recorder.record(exchange(f"{BRIDGE}?print", b"one text"), Role.STORY, is_first=True).capture
    assert taken is not None and (taken.kind, taken.refers_to_url) == ("revisit", first.url)
    assert asked == []
    visitor.record(f"{BRIDGE}?print", b"one text")
    assert len(asked) == 1, "one that may have been fetched before is looked for there first"


def test_an_index_serves_the_search_for_a_payload(archive: Archive) -> None:
    query = (
        sa.select(schema.captures.c.url)
        .where(
            schema.captures.c.source == "demo",
            schema.captures.c.payload_digest == "sha1:X",
            schema.captures.c.kind == schema.RESPONSE,
        )
        .compile(archive.catalogue._engine)
    )
    with archive.catalogue.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", tuple(query.params.values())).all()
    assert "captures_payload" in str(plan)


def test_a_redirected_asset_counts_as_none(archive: Archive) -> None:
    visitor = Visitor(archive)
    visitor.settle(DiscoverAssets("demo", BRIDGE, (STYLE,)))
    assert fetch(visitor, STYLE, outcome="redirected") == ""


def test_what_is_known_as_a_page_is_no_file_of_another(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    other = "https://news.example/2026/schools"
    visitor.mention(other)
    file(visitor, BRIDGE, TEXT, f"{other}?utm_source=template", BRIDGE, PICTURE)
    with visitor.archive.catalogue.read() as connection:
        u = schema.urls.c
        assets = connection.execute(sa.select(u.url).where(u.role == Role.ASSET)).scalars().all()
    assert assets == [PICTURE]
