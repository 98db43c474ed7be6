"""What a crawl does with a robots.txt that is odd in length or in how it comes, and what of it is kept."""

import gzip
from contextlib import ExitStack

import sqlalchemy as sa
from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.sites.scripted import Answer, ScriptedSite, feed_of, scripted, story

from newsmorgue.archive import schema

RULES = b"User-agent: *\nDisallow: /private/\n"
# RFC 9309 §2.5 asks for the first 500 KiB at least; nobody need take what comes behind the 16 MiB of any page.
LATE = b"#" * 63 + b"\n"
TOO_LONG = RULES + LATE * (17 << 14) + b"Disallow: /\n"
# A line that the limit of 500 KiB parts in two: by halves it would forbid everything.
CUT_AT = RULES + LATE * 7999 + b"#" * (63 - len(RULES) - len(b"Disallow: /")) + b"\nDisallow: /late/\n" + LATE
HALF_LINE = Answer(200, CUT_AT)
OPEN, PRIVATE = "/world/2026/01/30/bridge", "/private/2026/01/30/ferry"


def crawl(morgue: Morgue, *hosts: ScriptedSite) -> None:
    """Crawl a source with these hosts, each of which has an open and a private story."""
    first, *others = hosts
    named = [f"{host.url}{path}" for host in hosts for path in (OPEN, PRIVATE)]
    first.answers |= {"/": Answer(200, b'<link rel=alternate type="application/rss+xml" href="/f.xml">')}
    first.answers["/f.xml"] = feed_of(*named)
    for number, host in enumerate(hosts):
        host.answers |= {path: story(f"{path} of {number}") for path in (OPEN, PRIVATE)}
    listed = ", ".join(f'"{host.url.removeprefix("http://")}"' for host in others)
    (morgue.folder / "morgue.toml").write_text(f'[sources.demo]\nhome = "{first.url}/"\nhosts = [{listed}]\n')
    ended = morgue("crawl", "demo")
    assert ended.code == 0, ended.err


def truncated(morgue: Morgue, *hosts: ScriptedSite) -> list[str | None]:
    """What the captures of each host's robots.txt say of why they are cut."""
    c = schema.captures.c
    with opened(morgue) as archive, archive.catalogue.read() as connection:
        kept = {row.url: row.truncated for row in connection.execute(sa.select(c.url, c.truncated))}
    return [kept[f"{host.url}/robots.txt"] for host in hosts]


def test_of_one_of_any_length_the_first_500_kib_hold(morgue: Morgue) -> None:
    """Declared too long, lost in mid way, a bomb; and one that is cut in the middle of a line."""
    packed = Answer(200, gzip.compress(TOO_LONG), {"Content-Encoding": "gzip"})
    answers = (tagged(TOO_LONG, "1"), Answer(200, TOO_LONG, cut=True), packed, HALF_LINE)
    with ExitStack() as stack:
        hosts = [stack.enter_context(scripted({"/robots.txt": answer})) for answer in answers]
        crawl(morgue, *hosts)
        assert [(OPEN in host.visits, PRIVATE in host.visits) for host in hosts] == [(True, False)] * 4
        assert truncated(morgue, *hosts) == ["length", "disconnect", None, None]
        a_day_later(morgue)
        assert morgue("crawl", "demo").code == 0
        assert asked(hosts[0], "/robots.txt") == [None, None]  # 304 would say that the archive has all of it
    verified = morgue.ask("verify")
    assert verified.code == 0, verified.out


def test_of_one_that_breaks_off_before_that_nothing_holds(morgue: Morgue) -> None:
    """Its last group may be the one that is ours: the host is left alone."""
    short = Answer(200, RULES + LATE * 4000, cut=True)
    with scripted({"/": Answer(200, b"<p>Nothing")}) as site:
        site.answers["/robots.txt"] = short
        ended = morgue("crawl", site.url)
        assert ended.code == 4
        assert set(site.visits) == {"/robots.txt"}


TDMREP = "/.well-known/tdmrep.json"
RESERVED = b'[{"location": "/reserved/*", "tdm-reservation": 1}]'
LAST = "Fri, 30 Jan 2026 10:00:00 GMT"


def a_day_later(morgue: Morgue) -> None:
    """All that is known of hosts is made to have been had a day earlier."""
    c = schema.robots.c
    with opened(morgue) as archive, archive.catalogue.write() as connection:
        connection.execute(sa.update(schema.robots).values(fetched_at=c.fetched_at - 25 * 3600 * 1_000_000))


def asked(site: ScriptedSite, path: str) -> list[str | None]:
    """With which validator each request for a path came."""
    return [
        headers.get("if-none-match", headers.get("if-modified-since"))
        for visited, headers in zip(site.visits, site.headers, strict=True)
        if visited == path
    ]


def captures(morgue: Morgue, url: str) -> list[tuple[str, int, str]]:
    """The captures of an address, one after the other: kind, status, what payload."""
    c = schema.captures.c
    query = sa.select(c.kind, c.status, c.payload_digest).where(c.url == url).order_by(c.timestamp)
    with opened(morgue) as archive, archive.catalogue.read() as connection:
        return [(row.kind, row.status, row.payload_digest) for row in connection.execute(query)]


def tagged(body: bytes, tag: str) -> Answer:
    return Answer(200, body, {"ETag": tag, "Content-Type": "text/plain"})


def test_what_did_not_change_is_not_sent_again_and_holds_for_another_day(morgue: Morgue) -> None:
    """robots.txt and tdmrep.json; also a robots.txt that is at another address in the end."""
    moved: dict[str, Answer | list[Answer]] = {
        "/robots.txt": Answer(302, b"", {"Location": "/rules"}),
        "/rules": Answer(200, RULES, {"Last-Modified": LAST}),
    }
    with scripted({"/robots.txt": tagged(RULES, "1"), TDMREP: tagged(RESERVED, "2")}) as site, scripted(moved) as other:
        crawl(morgue, site, other)
        a_day_later(morgue)
        new = [f"{place}/2026/02/01/pier" for place in ("/private", "/reserved", f"{other.url}/private")]
        site.answers |= {path: story(path) for path in new[:2]}
        other.answers["/private/2026/02/01/pier"] = story("The other pier")
        site.answers["/f.xml"] = feed_of(*new)
        for _ in range(2):
            assert morgue("crawl", "demo", "--recheck").code == 0
        assert (asked(site, "/robots.txt"), asked(site, TDMREP)) == ([None, "1"], [None, "2"])
        assert (asked(other, "/robots.txt"), asked(other, "/rules")) == ([None, None], [None, LAST])
        assert {row["headline"] for row in morgue.documents("stories")} == {f"{OPEN} of 0", f"{OPEN} of 1"}
        site.answers["/robots.txt"] = tagged(RULES.replace(b"private", b"nothing"), "3")
        for _ in range(2):
            a_day_later(morgue)
            assert morgue("crawl", "demo").code == 0
        assert asked(site, "/robots.txt") == [None, "1", "1", "3"]
        allowed = {row["headline"] for row in morgue.documents("stories")}
        assert {f"{PRIVATE} of 0", "/private/2026/02/01/pier"} <= allowed, "known all the time, and only now allowed"
        assert f"{PRIVATE} of 1" not in allowed
        kinds, statuses, digests = zip(*captures(morgue, f"{site.url}/robots.txt"), strict=True)
        assert (kinds, statuses) == (("response", "revisit") * 2, (200, 304) * 2)
        assert (digests[0], digests[2]) == (digests[1], digests[3])
        assert digests[0] != digests[2]
        assert [kind for kind, *_ in captures(morgue, f"{site.url}{TDMREP}")] == ["response", *["revisit"] * 2]
    verified = morgue.ask("verify")
    assert verified.code == 0, verified.out
