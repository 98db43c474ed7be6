"""Selectors of a source in a whole crawl: they reach the worker, and changing them makes no version."""

from pathlib import Path

from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.sites.newsroom import Newsroom, Response
from tests.sites.server import Site, serve

from newsmorgue.stories.reading import find_story, show_at, story_versions

PATH = "/world/the-ferry-stays-for-six-more-years/"
PROSE = "The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate. "


def page(ending: str = "") -> Response:
    body = f"<h1>The ferry stays</h1><div class=a><p>{PROSE * 3}{ending}</p></div><div class=b><p>{PROSE * 4}</p></div>"
    return Response(200, "text/html", f"<html><body>{body}</body></html>".encode())


def configure(folder: Path, site: Site, selectors: str) -> None:
    lines = ("[sources.ferry]", f'home = "{site.url}/"', "delay = 0", "[sources.ferry.selectors]", selectors)
    (folder / "morgue.toml").write_text("\n".join(lines))


def save(morgue: Morgue, site: Site) -> list[str]:
    """What a visit makes of the story: the text of each version, oldest first."""
    ended = morgue("save", site.url + PATH)
    assert ended.code == 0, ended.err
    with opened(morgue) as archive:
        story = find_story(archive, site.url + PATH)
        assert show_at(archive, story, None).version.number == len(story_versions(archive, story))
        return [archive.read_text(row.place).article["text"] for row in story_versions(archive, story)]


def test_changed_selectors_make_no_version_and_changed_texts_do(morgue: Morgue) -> None:
    newsroom = Newsroom()
    newsroom.overrides[PATH] = page()
    with serve(newsroom) as site:
        configure(morgue.folder, site, 'body = ".a"')
        assert save(morgue, site) == [(PROSE * 3).strip()]
        configure(morgue.folder, site, 'body = ".b"')
        assert save(morgue, site) == [(PROSE * 4).strip()]
        configure(morgue.folder, site, 'body = ".a"')
        newsroom.overrides[PATH] = page("And then it was over.")
        assert save(morgue, site) == [(PROSE * 3).strip(), PROSE * 3 + "And then it was over."]
    again = morgue.ask("reindex", "--replace")
    assert again.code == 0, again.err


def test_a_wrong_selector_is_refused_where_it_stands(morgue: Morgue) -> None:
    (morgue.folder / "morgue.toml").write_text(
        '[sources.ferry]\nhome = "https://ferry.example/"\n\n[sources.ferry.selectors]\nbody = "div >"\n'
    )
    ended = morgue.ask("stories")
    assert ended.code == 3
    said = "morgue: morgue.toml:5: sources.ferry.selectors.body is 'div >'; allowed is a CSS selector"
    assert ended.err.startswith(said)
