"""Scrapy alone: ``python -m bench.bare URL`` fetches every page that the sitemap names, and keeps nothing.

The settings are Scrapy's own but for what would make it wait or write: no robots.txt, many requests at once, a quiet
log. Writes how many pages came to ``pages.txt``.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from scrapy.spiders import SitemapSpider

SETTINGS: dict[str, Any] = {
    "ROBOTSTXT_OBEY": False,
    "CONCURRENT_REQUESTS": 32,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 32,
    "DOWNLOAD_DELAY": 0,
    # DEBUG, the default, prints every item whole.
    "LOG_LEVEL": "WARNING",
}


class BareSpider(SitemapSpider):
    """Counts the pages that the sitemap names."""

    name = "bare"
    pages = 0

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        """A page: there is nothing to do with it."""
        self.pages += 1
        yield from ()

    def closed(self, reason: str) -> None:
        """Leave the count."""
        Path("pages.txt").write_text(f"{self.pages}\n")


def main() -> None:
    """Crawl the site named on the command line."""
    process = AsyncCrawlerProcess(SETTINGS)
    process.crawl(BareSpider, sitemap_urls=[f"{sys.argv[1]}/sitemap.xml"])
    process.start()


if __name__ == "__main__":
    main()
