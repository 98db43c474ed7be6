"""Sitemaps that a site keeps at another host: read as long as it says so, by that host's rules, for its own stories."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.cli.command import Morgue
from tests.crawl.test_discovery import stories
from tests.crawl.test_robots import a_day_later
from tests.sites.scripted import Answer, ScriptedSite, feed_of, page_of, scripted, story

from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.spiders.answers import in_charge

BRIDGE, FERRY, PIER = (f"/world/2026/01/30/{name}" for name in ("bridge", "ferry", "pier"))


def sitemap(*urls: str) -> Answer:
    """A sitemap that names these pages."""
    return Answer(200, f"<urlset>{''.join(f'<url><loc>{url}</loc></url>' for url in urls)}</urlset>".encode())


def index(*urls: str) -> Answer:
    """An index that names these sitemaps."""
    named = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return Answer(200, f"<sitemapindex>{named}</sitemapindex>".encode())


@dataclass
class Hosts:
    """A site, where it keeps its sitemaps, and a third host that has nothing to do with either."""

    morgue: Morgue
    site: ScriptedSite
    other: ScriptedSite
    third: ScriptedSite

    def crawl(self, code: int = 0) -> set[str]:
        """Crawl; what was asked of the other host."""
        before = len(self.other.visits)
        ended = self.morgue("crawl", "demo")
        assert ended.code == code, ended.err
        return set(self.other.visits[before:]) - {"/robots.txt"}


@pytest.fixture
def hosts(morgue: Morgue) -> Iterator[Hosts]:
    """On addresses of this machine, so the operator has to have named them."""
    with scripted({}) as site, scripted({}, "127.0.0.2") as other, scripted({}, "127.0.0.3") as third:
        feeds = f'feeds = ["{other.url}/known", "{third.url}/known"]'
        (morgue.folder / "morgue.toml").write_text(f'[sources.demo]\nhome = "{site.url}/"\n{feeds}\n')
        other.answers["/known"] = third.answers["/known"] = feed_of()
        site.answers |= {"/": page_of(), **{path: story(path) for path in (BRIDGE, FERRY, PIER)}}
        yield Hosts(morgue, site, other, third)


def test_what_robots_txt_names_elsewhere_is_read_for_the_site_s_own_stories(hosts: Hosts) -> None:
    site, other, third = hosts.site, hosts.other, hosts.third
    site.answers["/robots.txt"] = Answer(200, f"Sitemap: {other.url}/index.xml".encode())
    other.answers |= {
        "/robots.txt": Answer(200, b"User-agent: *\nDisallow: /secret/\nCrawl-delay: 0.6"),
        "/index.xml": index(
            f"{other.url}/moved.xml", f"{other.url}/secret/b.xml", f"{third.url}/c.xml", f"{site.url}/d.xml"
        ),
        "/moved.xml": Answer(301, b"", {"Location": "/a.xml"}),
        "/a.xml": sitemap(f"{site.url}{BRIDGE}", f"{other.url}{BRIDGE}", f"{third.url}{BRIDGE}"),
        "/secret/b.xml": sitemap(f"{site.url}{PIER}"),
        BRIDGE: story("Another site's bridge"),
    }
    third.answers |= {"/c.xml": sitemap(f"{site.url}{PIER}"), BRIDGE: story("A third one's bridge")}
    site.answers["/d.xml"] = sitemap(f"{site.url}{FERRY}")
    assert hosts.crawl() == {"/known", "/index.xml", "/moved.xml", "/a.xml"}
    assert set(stories(hosts.morgue, site)) == {BRIDGE, FERRY}
    assert set(third.visits) == {"/robots.txt", "/known"}
    assert other.visits[0] == "/robots.txt"
    # Three pauses: of one a busy machine may see nothing, which takes its time to look at what comes.
    assert other.times[-1] - other.times[1] > 2 * 0.6
    # The site no longer says so: its other host is a stranger's now, and may say what it likes.
    site.answers["/robots.txt"] = Answer(200, b"User-agent: *\nAllow: /")
    other.answers["/a.xml"] = sitemap(f"{site.url}{PIER}")
    a_day_later(hosts.morgue)
    assert hosts.crawl() == {"/known"}
    site.answers["/robots.txt"] = Answer(200, f"Sitemap: {other.url}/index.xml".encode())
    a_day_later(hosts.morgue)
    assert "/a.xml" in hosts.crawl()
    assert set(stories(hosts.morgue, site)) == {BRIDGE, FERRY, PIER}


def test_a_sitemap_or_feed_that_the_site_itself_redirects_elsewhere_is_read_there(hosts: Hosts) -> None:
    site, other, third = hosts.site, hosts.other, hosts.third
    site.answers |= {
        "/": Answer(200, b'<link rel=alternate type="application/rss+xml" href="/feed.xml">'),
        "/feed.xml": Answer(302, b"", {"Location": f"{other.url}/feed.xml"}),
        "/sitemap.xml": Answer(302, b"", {"Location": f"{other.url}/site.xml"}),
    }
    other.answers |= {
        "/feed.xml": feed_of(f"{site.url}{BRIDGE}", f"{other.url}{BRIDGE}"),
        "/site.xml": sitemap(f"{site.url}{FERRY}", f"{other.url}{FERRY}"),
    }
    assert hosts.crawl() == {"/known", "/feed.xml", "/site.xml"}
    assert set(stories(hosts.morgue, site)) == {BRIDGE, FERRY}
    # Each crawl reads them there, but does not follow them on to anywhere; when the site has its own again, they rest.
    other.answers["/site.xml"] = Answer(302, b"", {"Location": f"{third.url}/site.xml"})
    assert hosts.crawl(4) == {"/known", "/feed.xml", "/site.xml"}
    assert set(third.visits) == {"/robots.txt", "/known"}
    site.answers["/sitemap.xml"] = sitemap(f"{site.url}{PIER}")
    hosts.crawl(4)
    assert hosts.crawl() == {"/known", "/feed.xml"}
    assert set(stories(hosts.morgue, site)) == {BRIDGE, FERRY, PIER}


def test_one_robots_txt_sends_nobody_to_more_than_five_other_hosts() -> None:
    source = SourceConfiguration("demo", "https://news.example.org/")
    elsewhere = [f"https://{name}.example/{number}.xml" for name in "abcdefg" for number in range(2)]
    own = ["https://www.news.example.org/a.xml", "https://maps.example.org/b.xml"]
    assert in_charge(source, [*elsewhere, *own]) == [*elsewhere[:10], *own]
