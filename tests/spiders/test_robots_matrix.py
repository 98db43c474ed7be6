"""RFC 9309 case by case: each name gives the section, and what is expected is the RFC's word, not the code's."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from gzip import compress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadConnectionRefusedError, DownloadTimeoutError, ResponseDataLossError
from scrapy.http import Response
from scrapy.signalmanager import SignalManager
from tests.archive.harness import open_archive

from newsmorgue.spiders.robots import RobotsDisallowed, RobotsTxtMiddleware, RobotsUnavailable, parse_robots

SITE = "https://example.com"
# §5.1, the RFC's own example; "newsmorgue" stands where the RFC has "examplebot" or a robot without a group.
SIMPLE = """User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot"""
# §5.2
LONGEST = """User-Agent: newsmorgue
Allow: /example/page/
Disallow: /example/page/disallowed.gif"""


def of(agent: str) -> str:
    """The RFC's example with our name in the place of one of its robots."""
    return SIMPLE.replace(agent, "newsmorgue")


RULES = {
    "2.2.1 a group's name is compared without regard to case": ("user-agent: NEWSMORGUE\ndisallow: /", "/a", False),
    "2.2.1 the first part of a product string is its token": ("User-agent: newsmorgue/1.0 x\nDisallow: /", "/a", False),
    "2.2.1 a token that only begins like ours is another's": ("User-agent: newsmorguebot\nDisallow: /", "/a", True),
    "2.2.1 our group goes before everyone's": (
        "User-agent: *\nDisallow: /\nUser-agent: newsmorgue\nAllow: /",
        "/a",
        True,
    ),
    "2.2.1 groups of one name are one: first": (
        "User-agent: newsmorgue\nDisallow: /a\nUser-agent: x\nDisallow: /c\nUser-agent: newsmorgue\nDisallow: /b",
        "/a",
        False,
    ),
    "2.2.1 groups of one name are one: second": (
        "User-agent: newsmorgue\nDisallow: /a\nUser-agent: x\nDisallow: /c\nUser-agent: newsmorgue\nDisallow: /b",
        "/b",
        False,
    ),
    "2.2.1 groups of one name are one: another's": (
        "User-agent: newsmorgue\nDisallow: /a\nUser-agent: x\nDisallow: /c\nUser-agent: newsmorgue\nDisallow: /b",
        "/c",
        True,
    ),
    "2.2.1 several names share the rules below them": (
        "User-agent: x\nUser-agent: newsmorgue\nUser-agent: y\nDisallow: /",
        "/a",
        False,
    ),
    "2.2.1 no group for us and none for all: no rules": ("User-agent: x\nDisallow: /", "/a", True),
    "2.2.2 the most octets win": ("User-agent: *\nAllow: /a/b\nDisallow: /a", "/a/b", True),
    "2.2.2 the most octets win, whatever the order": ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", True),
    "2.2.2 allow where two are as long": ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
    "2.2.2 no match is allowed": ("User-agent: *\nDisallow: /a", "/b", True),
    "2.2.2 paths are compared with regard to case": ("User-agent: *\nDisallow: /A", "/a", True),
    "2.2.2 /robots.txt itself is allowed": ("User-agent: *\nDisallow: /", "/robots.txt", True),
    "2.2.2 a rule matches from the path's first octet": ("User-agent: *\nDisallow: /a", "/b/a", True),
    "2.2.2 with the query": ("User-agent: *\nDisallow: /foo/bar?baz=quz", "/foo/bar?baz=quz", False),
    "2.2.2 a query that holds an address": (
        "User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar",
        "/foo/bar?baz=https%3A%2F%2Ffoo.bar",
        False,
    ),
    "2.2.2 a character beyond ASCII is its escapes": ("User-agent: *\nDisallow: /foo/ツ", "/foo/%E3%83%84", False),
    "2.2.2 escapes are that character": ("User-agent: *\nDisallow: /foo/%E3%83%84", "/foo/ツ", False),
    "2.2.2 an escape of an unreserved character is the character": ("User-agent: *\nDisallow: /%62az", "/baz", False),
    "2.2.3 a comment ends the line's meaning": ("User-agent: * # all\nDisallow: /a # not this", "/a", False),
    "2.2.3 $ is the end": ("User-agent: *\nDisallow: /this/path/exactly$", "/this/path/exactly", False),
    "2.2.3 $ is the end, and no more": ("User-agent: *\nDisallow: /this/path/exactly$", "/this/path/exactly/not", True),
    "2.2.3 * is any octets": ("User-agent: *\nDisallow: /this/*/exactly", "/this/or/that/exactly", False),
    "2.2.3 * is none, too": ("User-agent: *\nDisallow: /a*b", "/ab", False),
    "2.2.3 an escaped * is itself": (
        "User-agent: *\nDisallow: /path/file-with-a-%2A.html",
        "/path/file-with-a-b.html",
        True,
    ),
    "2.2.4 other records change nothing": (
        "User-agent: *\nSitemap: https://example.com/s.xml\nFoo: bar\nDisallow: /a",
        "/a",
        False,
    ),
    "2.2.4 a Sitemap record ends no group": (
        "User-agent: newsmorgue\nSitemap: https://example.com/s.xml\n\nUser-agent: x\nDisallow: /",
        "/a",
        False,
    ),
    "2.2.4 nor does any other record": ("User-agent: newsmorgue\nFoo: bar\n\nUser-agent: x\nDisallow: /", "/a", False),
    "2.2.4 nor does Crawl-delay": ("User-agent: newsmorgue\nCrawl-delay: 5\nUser-agent: x\nDisallow: /", "/a", False),
    "2.2.4 nor does a record among the rules": (
        "User-agent: newsmorgue\nDisallow: /b\nFoo: bar\nDisallow: /a\nUser-agent: x\nDisallow: /c",
        "/a",
        False,
    ),
    "2.2.4 a rule does": ("User-agent: newsmorgue\nDisallow: /b\nUser-agent: x\nDisallow: /", "/a", True),
    "2.2.1 an empty line ends no group": ("User-agent: newsmorgue\n\nUser-agent: x\n\nDisallow: /", "/a", False),
    "2.2 a line may end with CR alone": ("User-agent: *\rDisallow: /a\r", "/a", False),
    "2.3 a byte order mark is no part of the first line": ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
    "2.5 a line that is none is passed over": ("User-agent: *\n<!--\nDisallow /b\nDisallow: /a", "/a", False),
    "5.1 everyone's group": (of("nobody"), "/example/page.html", False),
    "5.1 everyone's group allows the rest": (of("nobody"), "/publications/x", True),
    "5.1 everyone's group, by suffix": (of("nobody"), "/other/a.gif", False),
    "5.1 foobot may read two pages": (of("foobot"), "/example/page.html", True),
    "5.1 foobot may read nothing else": (of("foobot"), "/example/other.html", False),
    "5.1 bazbot may not read one": (of("bazbot"), "/example/page.html", False),
    "5.1 bazbot may read all others": (of("bazbot"), "/example/other.html", True),
    "5.1 quxbot has a group without rules": (of("quxbot"), "/example/page.html", True),
    "5.2 longest match: allowed": (LONGEST, "/example/page/a.gif", True),
    "5.2 longest match: disallowed": (LONGEST, "/example/page/disallowed.gif", False),
}


@pytest.mark.parametrize("case", RULES)
def test_rules(case: str) -> None:
    body, path, allowed = RULES[case]
    assert parse_robots(body.encode()).allows(SITE + path) is allowed


# -- how it is had ---------------------------------------------------------------------------------------------------


@dataclass
class Host:
    """A host whose robots.txt a test changes, asked through the middleware as Scrapy's engine would; and a clock."""

    folder: Path
    answer: Callable[[str], Response] | Exception
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    asked: list[str] = field(default_factory=list)

    async def download_async(self, request: Request) -> Response:
        """What Scrapy's engine does."""
        self.asked.append(request.url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(request.url)

    def crawl(self) -> "Crawl":
        """A new crawl of the same archive."""
        archive = open_archive(self.folder)
        capture = SimpleNamespace(archive=archive)
        crawler: Any = SimpleNamespace(engine=self, signals=SignalManager(), get_extension=lambda _: capture)
        return Crawl(RobotsTxtMiddleware(crawler, lambda: self.now))


@dataclass
class Crawl:
    """One crawl's middleware."""

    middleware: RobotsTxtMiddleware

    def may_fetch(self, path: str = "/a") -> bool | None:
        """Whether a page may be fetched now; None where that is to be asked again later."""
        try:
            asyncio.run(self.middleware.process_request(Request(SITE + path)))
        except RobotsDisallowed:
            return False
        except RobotsUnavailable:
            return None
        return True


def status(code: int, body: bytes = b"User-agent: *\nDisallow: /a", **headers: str) -> Callable[[str], Response]:
    return lambda url: Response(url, status=code, body=body, headers=headers)


def chain(hops: int) -> Callable[[str], Response]:
    """robots.txt behind so many redirects, to other hosts."""

    def answer(url: str) -> Response:
        done = int(url.rpartition("-")[2]) if "-" in url else 0
        if done == hops:
            return status(200)(url)
        return Response(
            url, status=302, headers={"Location": f"https://other-{done + 1}.example/robots.txt-{done + 1}"}
        )

    return answer


FOUR_MB = b"User-agent: *\nDisallow: /a\n" + b"# filling\n" * 400_000 + b"Disallow: /late\n"
ACCESS: dict[str, tuple[Callable[[str], Response] | Exception, bool | None]] = {
    "2.3.1.1 success: its rules hold": (status(200), False),
    "2.3.1.1 any 2xx is success": (status(206), False),
    "2.3.1.2 one redirect is followed": (chain(1), False),
    "2.3.1.2 five redirects are followed, over hosts": (chain(5), False),
    "2.3.1.2 after more it may count as unavailable": (chain(6), True),
    "2.3.1.3 400 is unavailable: no rules": (status(400), True),
    "2.3.1.3 401": (status(401), True),
    "2.3.1.3 403": (status(403), True),
    "2.3.1.3 404": (status(404), True),
    "2.3.1.3 410": (status(410), True),
    "2.3.1.3 451": (status(451), True),
    "RFC 6585 4: 429 is not now": (status(429), None),
    "2.3.1.4 500 is unreachable: nothing may be fetched": (status(500), None),
    "2.3.1.4 503": (status(503), None),
    "2.3.1.4 599": (status(599), None),
    "2.3.1.4 no answer in time": (DownloadTimeoutError("time"), None),
    "2.3.1.4 connection refused": (DownloadConnectionRefusedError("refused"), None),
    "2.3.1.4 connection reset in mid answer": (ResponseDataLossError("reset"), None),
    "2.3.1.5 what cannot be parsed has no rules": (status(200, b"\x89PNG\r\n\x1a\n\0\0\0"), True),
    "2.5 of 4 MB the first 500 KiB hold": (status(200, FOUR_MB), False),
    "2.5 of 40 MB, packed, the first 500 KiB hold": (
        status(200, compress(FOUR_MB * 10), **{"Content-Encoding": "gzip"}),
        False,
    ),
}


@pytest.mark.parametrize("case", ACCESS)
def test_access(case: str, tmp_path: Path) -> None:
    answer, allowed = ACCESS[case]
    assert Host(tmp_path, answer).crawl().may_fetch() is allowed


def test_2_5_what_stands_behind_500_kib_is_not_read(tmp_path: Path) -> None:
    assert Host(tmp_path, status(200, FOUR_MB)).crawl().may_fetch("/late") is True


def test_2_4_a_copy_holds_for_24_hours_and_for_all_crawls(tmp_path: Path) -> None:
    host = Host(tmp_path, status(200))
    assert host.crawl().may_fetch() is False
    host.answer = status(200, b"User-agent: *\nAllow: /")
    host.now += timedelta(hours=23, minutes=59)
    assert host.crawl().may_fetch() is False
    assert len(host.asked) == 1
    host.now += timedelta(minutes=1)
    assert host.crawl().may_fetch() is True
    assert len(host.asked) == 2


def test_2_4_a_crawl_that_goes_on_for_days_asks_again(tmp_path: Path) -> None:
    host = Host(tmp_path, status(200))
    crawl = host.crawl()
    assert crawl.may_fetch() is False
    host.answer = status(404)
    host.now += timedelta(hours=25)
    assert crawl.may_fetch() is True


def test_2_4_that_there_is_none_holds_for_24_hours_too(tmp_path: Path) -> None:
    host = Host(tmp_path, status(404))
    assert host.crawl().may_fetch() is True
    host.answer = status(200)
    assert host.crawl().may_fetch() is True
    host.now += timedelta(hours=24)
    assert host.crawl().may_fetch() is False


@pytest.mark.parametrize("failure", [status(500), status(429), DownloadTimeoutError("time")])
def test_2_4_while_it_is_unreachable_an_expired_copy_holds(
    failure: Callable[[str], Response] | Exception, tmp_path: Path
) -> None:
    host = Host(tmp_path, status(200))
    host.crawl().may_fetch()
    host.answer = failure
    host.now += timedelta(days=29)
    assert host.crawl().may_fetch("/a") is False
    assert host.crawl().may_fetch("/b") is True


def test_2_3_1_4_after_30_days_it_counts_as_unavailable(tmp_path: Path) -> None:
    host = Host(tmp_path, status(200))
    host.crawl().may_fetch()
    host.answer = status(500)
    host.now += timedelta(days=2)
    assert host.crawl().may_fetch() is False
    host.now += timedelta(days=29, hours=23)
    assert host.crawl().may_fetch() is False
    host.now += timedelta(hours=1)
    assert host.crawl().may_fetch() is True
    host.answer = status(200)
    host.now += timedelta(hours=1)
    assert host.crawl().may_fetch() is False


def test_2_3_1_4_without_any_copy_30_days_without_an_answer_count_too(tmp_path: Path) -> None:
    host = Host(tmp_path, status(503))
    assert host.crawl().may_fetch() is None
    host.now += timedelta(days=29)
    assert host.crawl().may_fetch() is None
    host.now += timedelta(days=1)
    assert host.crawl().may_fetch() is True


def test_an_unreachable_host_is_not_asked_for_every_page(tmp_path: Path) -> None:
    host = Host(tmp_path, status(503))
    crawl = host.crawl()
    assert [crawl.may_fetch(f"/{number}") for number in range(20)] == [None] * 20
    assert len(host.asked) == 1
    host.now += timedelta(minutes=6)
    crawl.may_fetch()
    assert len(host.asked) == 2
