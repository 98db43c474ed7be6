"""Crawls that keep what stories show, as each setting has it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.archive.harness import rebuilt, rows
from tests.cli.command import Ended, Morgue
from tests.crawl.conftest import opened
from tests.sites.newsroom import Newsroom, Response
from tests.sites.scripted import Answer, page_of, scripted, story
from tests.sites.server import Site, serve

THEME = "/wp-content/themes/fanal/"
UPLOADS = "/wp-content/uploads/"
STYLE = f"{THEME}style.css"


def answer(body: bytes, kind: str = "image/svg+xml", status: int = 200) -> Response:
    """An answer without validators."""
    return Response(status, kind, body)


@contextmanager
def furnished() -> Iterator[Site]:
    """A newsroom whose style sheet imports another, and shows a picture and a font."""
    newsroom = Newsroom(restless=False)
    css = b'@import "colours.css"; body { background: url(sea.svg) } @font-face { src: url(a.woff2), url(a.ttf) }'
    newsroom.overrides |= {
        STYLE: answer(css, "text/css"),
        f"{THEME}colours.css": answer(b"p { color: navy }", "text/css"),
        f"{THEME}sea.svg": answer(b"<svg/>"),
        f"{THEME}a.woff2": answer(b"wOF2", "font/woff2"),
    }
    with serve(newsroom) as site:
        yield site


def crawl(morgue: Morgue, site: Site) -> Ended:
    return morgue("crawl", site.url, "--delay", "0")


def asked(site: Site, folder: str = "/wp-content/") -> list[str]:
    """The files of the site that were asked for, with repetitions."""
    return sorted(one.path for one in site.log if one.path.startswith(folder))


def lead_pictures(site: Site) -> list[str]:
    """The pictures of the stories that may be kept."""
    return sorted(f"{UPLOADS}{truth.name}.svg" for truth in site.newsroom.truth() if truth.kept)


@pytest.mark.parametrize(
    ("setting", "files"),
    [
        ("none", []),
        ("lead", ["colours.css", "style.css"]),
        ("images", ["colours.css", "style.css"]),
        ("all", ["a.woff2", "colours.css", "sea.svg", "style.css"]),
    ],
)
def test_a_crawl_keeps_what_the_setting_says_and_asks_once(setting: str, files: list[str], tmp_path: Path) -> None:
    with furnished() as site:
        morgue = Morgue(tmp_path, {"MORGUE_ASSETS": setting})
        first = crawl(morgue, site)
        assert first.code == 0, first.err
        assert asked(site, THEME) == [THEME + name for name in files]
        pictures = asked(site, UPLOADS)
        assert len(pictures) == len(set(pictures))
        if setting == "none":
            assert pictures == []
            assert "assets" not in first.out
        else:
            assert set(lead_pictures(site)) <= set(pictures)
            assert f", {len(files) + len(pictures)} assets, " in first.out
            assert "assets failed" not in first.out
        site.log.clear()
        second = crawl(morgue, site)
        assert (second.code, asked(site)) == (0, [])
        assert "assets" not in second.out


def test_what_was_kept_is_in_the_index_and_a_reindex_has_it_too(tmp_path: Path) -> None:
    with furnished() as site:
        morgue = Morgue(tmp_path)
        crawl(morgue, site)
        index = "".join(path.read_text() for path in (tmp_path / "archive").rglob("*.cdxj"))
        picture = lead_pictures(site)[0]
        for path in (STYLE, f"{THEME}colours.css", picture):
            line = next(line for line in index.splitlines() if f'"url": "{site.url}{path}"' in line)
            assert '"role": "asset"' in line
            assert '"status": "200"' in line
        assert morgue.ask("verify").code == 0
        with opened(morgue) as archive:
            assert rows(rebuilt(archive, f"sqlite:///{tmp_path / 'new.sqlite'}")) == rows(archive)


def test_assets_come_after_the_stories(tmp_path: Path) -> None:
    numbers = range(12)
    paths = [f"/world/2026/01/30/story-{number}" for number in numbers]
    urls = "".join(f"<url><loc>{path}</loc></url>" for path in paths)
    answers: dict[str, Answer | list[Answer]] = {
        "/": page_of(),
        "/sitemap.xml": Answer(200, f"<urlset>{urls}".encode()),
    }
    for number, path in zip(numbers, paths, strict=True):
        picture = f"/pictures/{number}.jpg"
        answers[path] = story(f"Story {number}", head=f'<meta property="og:image" content="{picture}">')
        answers[picture] = Answer(200, b"a picture", {"Content-Type": "image/jpeg"})
    with scripted(answers) as site:
        assert Morgue(tmp_path)("crawl", site.url).code == 0
    asked = [path for path in site.visits if path in paths or path.startswith("/pictures/")]
    assert len(asked) == 24
    # Of four at once the first few may come while the last stories are on their way.
    assert {*asked[:9]} <= {*paths}
    assert {*paths}.isdisjoint(asked[-9:])


def test_a_broken_picture_is_no_failure_and_is_tried_again(tmp_path: Path) -> None:
    with furnished() as site:
        morgue = Morgue(tmp_path)
        gone, broken, *_ = lead_pictures(site)
        site.newsroom.overrides |= {gone: answer(b"", status=404), broken: answer(b"", status=500)}
        ended = crawl(morgue, site)
        assert (ended.code, ended.err) == (0, "")
        assert ", 0 failed, " in ended.out
        assert ", 2 assets failed, " in ended.out
        del site.newsroom.overrides[broken]
        site.log.clear()
        assert ", 1 asset, " in crawl(morgue, site).out
        assert asked(site) == [broken]


def test_a_style_sheet_leads_to_no_address_that_is_not_public(tmp_path: Path) -> None:
    with furnished() as site, serve(Newsroom()) as inside:
        css = f'@import "{inside.url}/secret.css"; @import "colours.css";'
        site.newsroom.overrides[STYLE] = answer(css.encode(), "text/css")
        moved = Response(302, "text/html", b"", (("Location", f"{inside.url}/secret.svg"),))
        site.newsroom.overrides[lead_pictures(site)[0]] = moved
        ended = crawl(Morgue(tmp_path), site)
        assert (ended.code, inside.log) == (0, [])
        assert ", 2 assets failed, " in ended.out
        assert asked(site, THEME) == [f"{THEME}colours.css", STYLE]


def test_what_robots_txt_disallows_is_not_fetched(tmp_path: Path) -> None:
    with furnished() as site:
        site.newsroom.overrides["/robots.txt"] = answer(
            b"User-agent: *\nDisallow: /wp-content/uploads/\n", "text/plain"
        )
        ended = crawl(Morgue(tmp_path), site)
        assert ended.code == 0
        assert asked(site, UPLOADS) == []
        assert re.search(r", 2 assets, \d+ assets? failed, ", ended.out)


def test_a_moved_picture_is_kept_where_it_leads(tmp_path: Path) -> None:
    with furnished() as site:
        picture = lead_pictures(site)[0]
        site.newsroom.overrides |= {
            picture: Response(301, "text/html", b"", (("Location", "/wp-content/new.svg"),)),
            "/wp-content/new.svg": answer(b"<svg>new</svg>"),
        }
        assert crawl(Morgue(tmp_path), site).code == 0
        assert site.requests("/wp-content/new.svg")


def test_a_saved_page_has_its_assets_and_no_others(tmp_path: Path) -> None:
    with furnished() as site:
        story = next(truth for truth in site.newsroom.truth() if truth.kept)
        ended = Morgue(tmp_path)("save", site.url + story.path, "--delay", "0")
        assert ended.code == 0, ended.err
        assert asked(site) == sorted([f"{THEME}colours.css", STYLE, f"{UPLOADS}{story.name}.svg"])
        assert ", 3 assets, " in ended.out


def test_equal_pictures_are_stored_once_where_the_source_allows(tmp_path: Path) -> None:
    with furnished() as site:
        for path in lead_pictures(site):
            site.newsroom.overrides[path] = answer(b"<svg>one for all</svg>")
        source = f'[sources.demo]\nhome = "{site.url}/"\ndedupe_across_urls = true\n'
        (tmp_path / "morgue.toml").write_text(source, encoding="utf-8")
        morgue = Morgue(tmp_path)
        assert morgue("crawl", "demo").code == 0
        index = "".join(path.read_text() for path in (tmp_path / "archive").rglob("*.cdxj"))
        pictures = [line for line in index.splitlines() if UPLOADS in line.partition("{")[0]]
        assert len(pictures) == len(lead_pictures(site))
        assert sum('"mime": "warc/revisit"' in line for line in pictures) == len(pictures) - 1
        assert len(set(re.findall(r'"refers-to-url": "([^"]+)"', "\n".join(pictures)))) == 1
        assert morgue.ask("verify").code == 0


def test_a_page_at_two_addresses_is_stored_once_where_the_source_allows_and_read_at_both(tmp_path: Path) -> None:
    with furnished() as site:
        first, second = (f"/{number}/the-whole-story-of-the-quay" for number in (1, 2))
        page = answer(
            b"<title>The quay</title><meta property=og:type content=article><article><h1>The quay</h1>"
            + b"<p>The council voted on Tuesday to mend the old quay before the winter storms come again.</p>" * 4
            + b"</article>",
            "text/html",
        )
        site.newsroom.overrides |= {first: page, second: page}
        source = f'[sources.demo]\nhome = "{site.url}/"\ndedupe_across_urls = true\nassets = "none"\n'
        (tmp_path / "morgue.toml").write_text(source, encoding="utf-8")
        morgue = Morgue(tmp_path)
        for path in (first, second):
            assert morgue("save", site.url + path, "--delay", "0").code == 0
        index = "".join(path.read_text() for path in (tmp_path / "archive").rglob("*.cdxj"))
        (revisit,) = (line for line in index.splitlines() if '"mime": "warc/revisit"' in line)
        assert second in revisit
        assert f'"refers-to-url": "{site.url}{first}"' in revisit
        sent = page.body.decode()
        assert [morgue("show", site.url + path, "--format", "html").out for path in (first, second)] == [sent, sent]
        assert morgue.ask("verify").code == 0


def test_a_source_may_want_other_assets_than_the_rest(tmp_path: Path) -> None:
    with furnished() as site:
        text = f'assets = "all"\n[sources.demo]\nhome = "{site.url}/"\nassets = "none"\n'
        (tmp_path / "morgue.toml").write_text(text, encoding="utf-8")
        assert Morgue(tmp_path)("crawl", "demo").code == 0
        assert asked(site) == []
