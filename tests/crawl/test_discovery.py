"""What a crawl finds on hand-made sites: sections and their further pages, feeds off the home page, one story for
many addresses, and no story for adverts."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.archive.harness import rebuilt, rows
from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.crawl.hurried import NEWS, HurriedMorgue
from tests.sites.scripted import Answer, ScriptedSite, feed_of, page_of, scripted, story

from newsmorgue.archive import schema
from newsmorgue.stories.reading import list_stories

ROBOTS = Answer(200, b"User-agent: *\nDisallow: /private/\n")
NEWEST = date(2020, 1, 30)


def stories(morgue: Morgue, site: ScriptedSite) -> dict[str, set[str]]:
    """The paths of the stories that the archive has, each with those of its aliases."""
    with opened(morgue) as archive:
        return {
            row.url.removeprefix(site.url): {alias.removeprefix(site.url) for alias in row.aliases}
            for row in list_stories(archive)
        }


def path_of(number: int) -> str:
    """Of the number-th newest story; one came out each day."""
    day = NEWEST - timedelta(days=number)
    return f"/world/{day:%Y/%m/%d}/story-{number}"


def sectioned(pages: int, each: int = 5) -> dict[str, Answer | list[Answer]]:
    """A site without feeds: a home page with the three newest stories, and a section of so many pages."""
    numbers = range(pages * each)
    answers: dict[str, Answer | list[Answer]] = {"/robots.txt": ROBOTS}
    answers |= {path_of(number): story(f"Story number {number}") for number in numbers}
    nav = '<nav><a href="/world/">World</a><a href="/about/">About</a></nav>'
    answers["/"] = page_of(*(f"Story {number}|{path_of(number)}" for number in range(3)), more=nav)
    answers["/about/"] = story("About us")
    for page in range(1, pages + 1):
        listed = (f"Story {number}|{path_of(number)}" for number in range((page - 1) * each, page * each))
        link = f'<a rel="next" href="/world/page/{page + 1}/">Older</a>' if page < pages else ""
        answers["/world/" if page == 1 else f"/world/page/{page}/"] = page_of(*listed, more=nav + link)
    return answers


def test_a_site_without_feeds_is_found_through_its_sections_to_their_ends(morgue: Morgue) -> None:
    with scripted(sectioned(pages=4)) as site:
        ended = morgue("crawl", site.url)
        assert ended.code == 0, ended.err
        assert set(stories(morgue, site)) == {path_of(number) for number in range(20)}
        assert "/about/" not in site.visits
        assert max(site.visits.count(path) for path in site.visits) == 1


def test_a_second_crawl_reads_on_only_as_far_as_there_is_something_new(morgue: Morgue) -> None:
    with scripted(sectioned(pages=4)) as site:
        morgue("crawl", site.url)
        first = len(site.visits)
        morgue("crawl", site.url)
        assert [path for path in site.visits[first:] if "/page/" in path] == []
        site.answers["/world/2026/01/31/story-new"] = story("A new story")
        old = site.answers["/world/"]
        assert isinstance(old, Answer)
        new = page_of("New|/world/2026/01/31/story-new", more=old.body.decode())
        site.answers["/world/"] = new
        second = len(site.visits)
        morgue("crawl", site.url)
        assert [path for path in site.visits[second:] if "/page/" in path] == ["/world/page/2/"]
        assert "/world/2026/01/31/story-new" in stories(morgue, site)


def test_since_reads_sections_back_to_that_day_and_no_further(morgue: Morgue) -> None:
    with scripted(sectioned(pages=8)) as site:
        morgue("crawl", site.url)
        first = len(site.visits)
        # Pages 1, 2 and 3 have stories of that day or later, page 4 begins with one of the day before.
        day = NEWEST - timedelta(days=14)
        ended = morgue("crawl", site.url, "--since", day.isoformat())
        assert ended.code == 0, ended.err
        read = [path for path in site.visits[first:] if "/page/" in path]
        assert read == ["/world/page/2/", "/world/page/3/", "/world/page/4/"]


def test_since_reads_on_from_a_section_that_has_not_changed(morgue: Morgue) -> None:
    """Its validators would make it a 304, which names no further page."""
    answers = {
        path: replace(answer, headers={"ETag": f'"{path}"'})
        if path.startswith("/world/") and len(path) < 20
        else answer
        for path, answer in sectioned(pages=4).items()
        if isinstance(answer, Answer)
    }
    with scripted({**answers, "/world/page/2/": page_of()}) as site:
        morgue("crawl", site.url)
        assert len(stories(morgue, site)) == 5
        site.answers["/world/page/2/"] = answers["/world/page/2/"]
        ended = morgue("crawl", site.url, "--since", (NEWEST - timedelta(days=30)).isoformat())
        assert ended.code == 0, ended.err
        assert len(stories(morgue, site)) == 20


def test_a_list_that_never_ends_is_left_after_fifty_pages(morgue: Morgue) -> None:
    endless = sectioned(pages=1)
    for page in range(1, 70):
        link = f'<a rel="next" href="/world/page/{page + 1}/">Older</a>'
        path = f"/world/2025/01/01/endless-{page}"
        endless["/world/" if page == 1 else f"/world/page/{page}/"] = page_of(f"No|{path}", more=link)
    with scripted(endless) as site:
        assert morgue("crawl", site.url).code == 0
        assert sum("/page/" in path for path in site.visits) == 49


def test_feeds_of_sections_and_feeds_that_are_only_linked_to(morgue: Morgue) -> None:
    head = '<link rel="alternate" type="application/feed+json" href="/sport/feed.json">'
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "url": "/sport/2026/01/30/cup"}]}
    answers: dict[str, Answer | list[Answer]] = {
        "/": page_of("World|/world/", more='<nav><a href="/sport/">Sport</a></nav><a href="/rss/world.rss">RSS</a>'),
        "/sport/": Answer(200, f"<html><head>{head}</head><body>Sport</body></html>".encode()),
        "/sport/feed.json": Answer(200, json.dumps(feed).encode(), {"Content-Type": "application/json"}),
        "/rss/world.rss": feed_of("/world/2026/01/30/bridge"),
        "/sport/2026/01/30/cup": story("The cup"),
        "/world/2026/01/30/bridge": story("The bridge"),
    }
    with scripted(answers) as site:
        assert morgue("crawl", site.url).code == 0
        assert set(stories(morgue, site)) == {"/sport/2026/01/30/cup", "/world/2026/01/30/bridge"}
        with opened(morgue) as archive, archive.catalogue.read() as connection:
            rows = connection.execute(sa.select(schema.mentions.c.key, schema.mentions.c.found_in)).all()
        found_in = {row.key.partition("/")[2]: row.found_in.removeprefix(site.url) for row in rows}
        assert found_in["sport/2026/01/30/cup"] == "/sport/feed.json"
        assert found_in["sport/feed.json"] == "/sport/"


def test_gzip_is_known_by_content_and_dates_are_remembered(morgue: Morgue) -> None:
    index = b"<sitemapindex><sitemap><loc>{}/all.xml</loc></sitemap></sitemapindex>"
    with scripted({"/": page_of(), "/a/b/one-two-three-four": story("One"), "/robots.txt": ROBOTS}) as site:
        line = f"<url><loc>{site.url}/a/b/one-two-three-four</loc><lastmod>2026-01-30T10:00:00+01:00</lastmod></url>"
        plain = Answer(200, gzip.compress(f"<urlset>{line}</urlset>".encode()), {"Content-Type": "text/xml"})
        site.answers["/all.xml"] = plain
        site.answers["/sitemap.xml"] = Answer(200, index.replace(b"{}", site.url.encode()))
        assert morgue("crawl", site.url).code == 0
        assert set(stories(morgue, site)) == {"/a/b/one-two-three-four"}
        with opened(morgue) as archive, archive.catalogue.read() as connection:
            stated = sa.select(schema.mentions.c.stated).where(schema.mentions.c.found_in == f"{site.url}/all.xml")
            assert connection.execute(stated).scalar_one() == "2026-01-30T09:00:00Z"


def test_a_sitemap_of_old_is_read_again_when_its_index_says_so(morgue: Morgue) -> None:
    bridge, ferry, pier = (f"/world/2026/01/30/{name}" for name in ("bridge", "ferry", "pier"))

    def index(old: str, new: str) -> Answer:
        named = (("old", old), ("new", new), ("undated", ""))
        dates = ((name, f"<lastmod>{date}</lastmod>" if date else "") for name, date in named)
        children = (f"<sitemap><loc>/{name}.xml</loc>{date}</sitemap>" for name, date in dates)
        return Answer(200, f"<sitemapindex>{''.join(children)}</sitemapindex>".encode(), {"Content-Type": "text/xml"})

    def urls(*paths: str) -> Answer:
        return Answer(200, f"<urlset>{''.join(f'<url><loc>{path}</loc></url>' for path in paths)}</urlset>".encode())

    today = datetime.now(UTC).date().isoformat()  # a day alone: what is new since this morning changes no date
    answers: dict[str, Answer | list[Answer]] = {path: story(path) for path in (bridge, ferry, pier)}
    answers |= {"/": page_of(), "/old.xml": urls(bridge), "/new.xml": urls(ferry), "/undated.xml": urls(ferry)}
    answers["/sitemap.xml"] = index("2020-01-01", today)
    with scripted(answers) as site:
        for _ in range(3):
            assert morgue("crawl", site.url).code == 0
        read = [site.visits.count(path) for path in ("/old.xml", "/new.xml", "/undated.xml")]
        assert read == [1, 3, 3]
        assert morgue("crawl", site.url, "--recheck").code == 0
        assert site.visits.count("/old.xml") == 2
        site.answers |= {"/old.xml": urls(bridge, pier), "/sitemap.xml": index(today, today)}
        assert morgue("crawl", site.url).code == 0
        assert set(stories(morgue, site)) == {bridge, ferry, pier}


def test_news_do_not_wait_behind_the_archive_of_a_site(tmp_path: Path) -> None:
    """A first crawl of a site with years of stories takes days; what comes out meanwhile is had at once."""
    old, new = [f"/world/2020/01/30/story-{number}" for number in range(150)], "/world/2026/01/30/bridge"
    listed = "".join(f"<url><loc>{path}</loc></url>" for path in old)
    with scripted({path: story(path) for path in (*old, new)}) as site:
        site.answers |= {
            "/": Answer(200, b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">'),
            "/sitemap.xml": Answer(200, f"<urlset>{listed}</urlset>".encode()),
            "/feed.xml": [feed_of(old[0]), feed_of(new)],
        }
        assert HurriedMorgue(tmp_path, {NEWS: "1"})("crawl", site.url, "--delay", "0.05").code == 0
        pages = [path for path in site.visits if path.startswith("/world/")]
        assert sorted(pages) == sorted((*old, new))
        assert pages.index(new) < 120, "of 150 that were known before"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_feed_is_read_packed_or_not_and_also_where_a_home_page_was_asked_for(
    pack: Callable[[bytes], bytes], morgue: Morgue
) -> None:
    """A file that is gzip by itself, as ``feed.xml.gz`` is sent: nothing in the head says so."""
    head = b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    with scripted({"/": Answer(200, head), "/world/2026/01/30/bridge": story("The bridge")}) as site:
        site.answers["/feed.xml"] = Answer(200, pack(feed_of("/world/2026/01/30/bridge").body))
        assert morgue("crawl", site.url).code == 0
        assert set(stories(morgue, site)) == {"/world/2026/01/30/bridge"}
        elsewhere = Morgue(morgue.folder / "elsewhere")
        elsewhere.folder.mkdir()
        assert elsewhere("crawl", f"{site.url}/feed.xml").code == 0
        assert set(stories(elsewhere, site)) == {"/world/2026/01/30/bridge"}


def test_a_feed_at_a_service_that_counts_readers_is_read_and_nothing_else_there(morgue: Morgue) -> None:
    bridge = "/world/2026/01/30/bridge"
    with scripted({bridge: story("The bridge")}) as site, scripted({}) as service:
        site.answers["/"] = Answer(
            200, f'<link rel="alternate" type="application/rss+xml" href="{service.url}/lantern">'.encode()
        )
        service.answers |= {
            "/lantern": Answer(301, b"", {"Location": "/lantern?format=xml"}),
            "/lantern?format=xml": feed_of(f"{site.url}{bridge}", f"{service.url}/world/2026/01/30/win-a-car-today"),
            "/known.xml": feed_of(),
        }
        # The service is on this machine too, so the operator has to have named it.
        named = f'home = "{site.url}/"\nfeeds = ["{service.url}/known.xml"]\n'
        (morgue.folder / "morgue.toml").write_text(f"[sources.demo]\n{named}")
        assert morgue("crawl", "demo").code == 0
        assert set(stories(morgue, site)) == {bridge}
        assert set(service.visits) == {"/robots.txt", "/known.xml", "/lantern", "/lantern?format=xml"}


def test_a_dead_link_to_a_feed_is_no_failure_and_its_return_is_noticed(morgue: Morgue) -> None:
    head = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    bridge, ferry = "/world/2026/01/30/bridge", "/world/2026/01/30/ferry"
    answers: dict[str, Answer | list[Answer]] = {
        "/": page_of(f"The bridge is open|{bridge}", more=head),
        bridge: story("The bridge"),
        ferry: story("The ferry"),
    }
    with scripted(answers) as site:
        first, second = morgue("crawl", site.url), morgue("crawl", site.url)
        assert (first.code, first.err, second.code, second.err) == (0, "", 0, "")
        assert "gone" not in first.out + second.out  # no story is: there is no feed, and no /sitemap.xml either
        site.answers["/feed.xml"] = feed_of(ferry)
        assert morgue("crawl", site.url).code == 0
        assert set(stories(morgue, site)) == {bridge, ferry}


@pytest.mark.parametrize("is_read_first", [True, False], ids=["feed first", "page first"])
def test_a_page_that_fails_is_a_failure_whether_a_feed_names_it_before_that_or_after(
    is_read_first: bool, morgue: Morgue
) -> None:
    """The home page links to it, and one is read while the other is on its way: a story that a feed names is not let
    go of because a link to it was quicker."""
    bridge, ferry = "/world/2026/01/30/bridge-opens-again", "/world/2026/01/30/ferry-stays-in-the-harbour"
    head = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    with scripted({"/": page_of(f"The bridge is open again|{bridge}", more=head), ferry: story("The ferry")}) as site:
        read, failed = (lambda: ferry in site.visits), (lambda: site.answered.count(bridge) >= 2)  # it is tried twice
        site.answers[bridge] = Answer(500, until=read if is_read_first else lambda: True)
        feed = feed_of(bridge, ferry)
        site.answers["/feed.xml"] = feed if is_read_first else replace(feed, until=failed)
        ended = morgue("crawl", site.url)
        assert (ended.code, ended.err.strip()) == (4, f"failed: {site.url}{bridge}: status 500")
        site.answers[bridge] = story("The bridge")
        again = morgue("crawl", site.url)
        assert (again.code, again.err) == (0, "")
        assert set(stories(morgue, site)) == {bridge, ferry}
        with opened(morgue) as archive:
            assert rows(rebuilt(archive, f"sqlite:///{morgue.folder / 'new.sqlite'}")) == rows(archive)


def test_a_dead_feed_that_the_operator_named_is_a_failure(morgue: Morgue) -> None:
    bridge = "/world/2026/01/30/bridge"
    with scripted({"/": page_of(f"The bridge is open|{bridge}"), bridge: story("The bridge")}) as site:
        feed = f"{site.url}/feed.xml"
        (morgue.folder / "morgue.toml").write_text(f'[sources.demo]\nhome = "{site.url}/"\nfeeds = ["{feed}"]\n')
        ended = morgue("crawl", "demo")
        assert (ended.code, ended.err.strip()) == (4, f"failed: {feed}: status 404")
        assert set(stories(morgue, site)) == {bridge}


def test_adverts_and_foreign_links_in_a_feed_lead_nowhere(morgue: Morgue) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "/": Answer(200, b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">'),
        "/world/2026/01/30/bridge": story("The bridge"),
        "/ads/click-me-and-see-what-comes": story("Buy this"),
    }
    with scripted(answers) as site, scripted({}) as elsewhere:
        site.answers["/feed.xml"] = feed_of(
            f"{elsewhere.url}/2026/01/30/an-agency-s-story",
            "http://advert.example.invalid/2026/01/30/win-a-car",
            "/ads/click-me-and-see-what-comes",
            "/world/2026/01/30/bridge?utm_source=rss",
        )
        assert morgue("crawl", site.url).code == 0
        assert set(stories(morgue, site)) == {"/world/2026/01/30/bridge"}
        assert elsewhere.visits == []


TEXT = "The bridge is open again"


# A story's address, that of another form of it, and what that form says of itself.
FORMS = (
    ("/world/2026/01/30/bridge", "/amp/world/2026/01/30/bridge", '<link rel="canonical" href="{main}">'),
    ("/world/2026/01/30/ferry", "/world/2026/01/30/ferry?outputType=amp", '<link rel="canonical" href="{main}">'),
    ("/world/2026/01/30/pier", "/print/world/2026/01/30/pier-opens", '<meta property="og:url" content="{site}{main}">'),
)


def test_amp_and_other_forms_of_a_page_are_one_story(morgue: Morgue) -> None:
    with scripted({"/": Answer(200, b'<link rel=alternate type="application/rss+xml" href="/f.xml">')}) as site:
        for main, other, head in FORMS:
            site.answers |= {main: story(main), other: story(main, head=head.format(site=site.url, main=main))}
        others = tuple(other for _, other, _ in FORMS)
        for named in (others, (*others, *(main for main, _, _ in FORMS))):
            site.answers["/f.xml"] = feed_of(*named)
            assert morgue("crawl", site.url).code == 0
        found = stories(morgue, site)
    assert set(found) == {main for main, _, _ in FORMS}
    assert all(other in found[main] for main, other, _ in FORMS)


def test_a_mobile_host_and_redirects_lead_to_one_story(morgue: Morgue) -> None:
    main = "/world/2026/01/30/bridge"
    with scripted({}) as site, scripted({}) as mobile:
        host = mobile.url.removeprefix("http://")
        (morgue.folder / "morgue.toml").write_text(f'[sources.demo]\nhome = "{site.url}/"\nhosts = ["{host}"]\n')
        head = f'<link rel="canonical" href="{site.url}{main}">'
        mobile.answers[main] = story(TEXT, head=head)
        site.answers |= {
            "/": Answer(200, b'<link rel=alternate type="application/rss+xml" href="/f.xml">'),
            "/f.xml": feed_of(f"{mobile.url}{main}", f"{site.url}/s/1", f"{site.url}{main}?utm_medium=x&fbclid=y"),
            "/s/1": Answer(301, b"", {"Location": "/s/2?utm_source=short"}),
            "/s/2": Answer(302, b"", {"Location": main}),
            "/s/2?utm_source=short": Answer(302, b"", {"Location": main}),
            main: story(TEXT),
        }
        for _ in range(2):
            assert morgue("crawl", "demo").code == 0
        found = stories(morgue, site)
        assert set(found) == {main}
        assert {f"{mobile.url}{main}", "/s/1"} <= found[main]


def test_pages_that_wrongly_claim_one_address_do_not_become_one(morgue: Morgue) -> None:
    """A template that puts the section's first story, or the home page, into every page's canonical."""
    first, second, third = (f"/world/2026/01/30/{name}" for name in ("bridge", "schools", "harvest"))
    claim = f'<link rel="canonical" href="{first}">'
    home = '<link rel="canonical" href="/">'
    with scripted({"/": Answer(200, b'<link rel=alternate type="application/rss+xml" href="/f.xml">')}) as site:
        site.answers |= {
            "/f.xml": feed_of(first, second, third),
            first: story("The bridge", head=claim),
            second: story("The schools", head=claim),
            third: story("The harvest", head=home),
        }
        for _ in range(2):
            assert morgue("crawl", site.url, "--recheck").code == 0
        assert set(stories(morgue, site)) == {first, second, third}
