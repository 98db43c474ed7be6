"""A Scrapy project that knows nothing of newsmorgue, with and without its one line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.command import Morgue, clean_environment
from tests.crawl.conftest import opened, story_of
from tests.processes import SECONDS
from tests.sites.newsroom import Newsroom
from tests.sites.server import Site, serve
from warcio.archiveiterator import ArchiveIterator

from newsmorgue.stories.reading import list_stories, story_versions

_CFG = "[settings]\ndefault = theirs.settings\n"
_SETTINGS = """
BOT_NAME = "theirs"
SPIDER_MODULES = ["theirs.spiders"]
USER_AGENT = "their-robot/1.0 (+mailto:them@example.org)"
ROBOTSTXT_OBEY = True
DOWNLOAD_DELAY = 0
ITEM_PIPELINES = {"theirs.pipelines.Stamp": 300}
"""
_ADDON = 'ADDONS = {"newsmorgue.pipelines.addon.NewsmorgueAddon": 500}\n'
_PIPELINES = """
class Stamp:
    def process_item(self, item):
        return {**item, "stamp": "theirs"}
"""
_SPIDER = """
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule


class Papers(CrawlSpider):
    name = "papers"
    start_urls = ["{url}/"]
    rules = [Rule(LinkExtractor(allow=r"/(tech|monde|culture|world)/[^/]+/$"), callback="read")]

    def read(self, response):
        yield {{
            "url": response.url,
            "status": response.status,
            "title": response.css("h1::text").get(),
            "bytes": len(response.body),
            "text": response.css(".entry-content p::text").getall(),
        }}
"""


def write_project(folder: Path, url: str, extra: str = "") -> None:
    package = folder / "theirs"
    package.mkdir(parents=True)
    (folder / "scrapy.cfg").write_text(_CFG)
    (package / "__init__.py").touch()
    (package / "settings.py").write_text(_SETTINGS + extra)
    (package / "pipelines.py").write_text(_PIPELINES)
    (package / "spiders.py").write_text(_SPIDER.format(url=url))


def crawl(folder: Path) -> list[dict[str, Any]]:
    """Run their spider; its items, in the order of their addresses."""
    command = [sys.executable, "-m", "scrapy", "crawl", "papers", "-O", "items.json", "--loglevel", "WARNING"]
    ended = subprocess.run(
        command, cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=SECONDS
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return sorted(json.loads((folder / "items.json").read_text()), key=lambda item: item["url"])


def captured(folder: Path) -> set[tuple[str, str]]:
    """Address and status of every response in a folder's WARCs."""
    found = set()
    for path in folder.rglob("*.warc.gz"):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type == "response":
                    found.add((record.rec_headers["WARC-Target-URI"], record.http_headers.get_statuscode()))
    return found


def requested(site: Site) -> set[tuple[str, str]]:
    return {(site.url + one.path, str(one.status)) for one in site.log}


def test_one_line_gives_a_project_warcs_and_versions_and_changes_nothing_else(tmp_path: Path) -> None:
    with serve(Newsroom(restless=False)) as site:
        write_project(tmp_path / "without", site.url)
        write_project(tmp_path / "with", site.url, _ADDON)
        expected = crawl(tmp_path / "without")
        asked_without = requested(site)
        site.log.clear()
        items = crawl(tmp_path / "with")
        assert items == expected
        assert len(items) >= 8
        assert requested(site) == asked_without
        assert {one.headers["user-agent"] for one in site.log} == {"their-robot/1.0 (+mailto:them@example.org)"}
        site.newsroom.advance()
        source = f'[sources.papers]\nhome = "{site.url}/"\npolicy = "metadata"\n'
        (tmp_path / "with" / "morgue.toml").write_text(source)
        crawl(tmp_path / "with")
    assert not (tmp_path / "without" / "archive").exists()
    reserved = {site.url + truth.path for truth in site.newsroom.truth() if not truth.kept}
    assert {url for url, _ in asked_without - captured(tmp_path / "with" / "archive")} <= reserved
    morgue = Morgue(tmp_path / "with")
    read = {item["url"] for item in items}
    with opened(morgue) as archive:
        for truth in site.newsroom.truth():
            if truth.kept and site.url + truth.path in read:
                row = story_of(archive, site, truth)
                assert len(story_versions(archive, row.id)) == truth.versions_so_far, truth.name
        assert {row.source for row in list_stories(archive)} == {"papers"}
    for path in ("/tech/batterie-au-sel-promesse/", "/world/traffic-lights-that-listen/"):
        article = morgue.documents("show", site.url + path)[0]["article"]
        assert (bool(article["headline"]), article["text"]) == (True, ""), "it says noarchive"
    assert morgue.ask("verify").code == 0
