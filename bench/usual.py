"""Scrapy with warcio and trafilatura in the simplest way: ``python -m bench.usual URL``.

One item pipeline writes request and response to ``pages.warc.gz``, extracts the text and adds it to ``pages.jsonl``.
What Scrapy hands to a pipeline is no longer what crossed the wire: bodies are decompressed and headers rebuilt, which
is kept here as is, since that is what such projects keep.
"""

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import trafilatura
from scrapy import Request
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Headers, Response, TextResponse
from scrapy.spiders import SitemapSpider
from twisted.web.http import RESPONSES
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from bench.bare import SETTINGS


class UsualSpider(SitemapSpider):
    """Hands each page that the sitemap names to the pipeline."""

    name = "usual"

    def parse(self, response: Response, **_: Any) -> Iterator[dict[str, Response]]:
        """A page is an item."""
        yield {"response": response}


class KeepPipeline:
    """Writes the WARC and the texts."""

    def open_spider(self) -> None:
        """Open both files."""
        warc = Path("pages.warc.gz").open("wb")  # noqa: SIM115  # closed with the spider
        self._texts = Path("pages.jsonl").open("w", encoding="utf-8")  # noqa: SIM115
        self._files = (warc, self._texts)
        self._writer = WARCWriter(warc, gzip=True)

    def process_item(self, item: dict[str, TextResponse]) -> dict[str, TextResponse]:
        """Keep one page."""
        response = item["response"]
        assert response.request is not None
        self._writer.write_request_response_pair(self._request(response.request), self._response(response))
        document = trafilatura.bare_extraction(response.text, response.url, with_metadata=True)
        if document is not None:
            found = {name: getattr(document, name) for name in ("url", "title", "author", "date", "text")}
            self._texts.write(json.dumps(found) + "\n")
        return item

    def close_spider(self) -> None:
        """Close both files."""
        for file in self._files:
            file.close()

    def _request(self, request: Request) -> Any:
        head = StatusAndHeaders(
            f"{request.method} {request.url} HTTP/1.1", _pairs(request.headers), is_http_request=True
        )
        return self._writer.create_warc_record(request.url, "request", BytesIO(request.body), http_headers=head)

    def _response(self, response: Response) -> Any:
        reason = RESPONSES.get(response.status, b"").decode()
        head = StatusAndHeaders(f"{response.status} {reason}", _pairs(response.headers), protocol="HTTP/1.1")
        return self._writer.create_warc_record(response.url, "response", BytesIO(response.body), http_headers=head)


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name in headers for value in headers.getlist(name)]


def main() -> None:
    """Crawl the site named on the command line."""
    process = AsyncCrawlerProcess(SETTINGS | {"ITEM_PIPELINES": {KeepPipeline: 100}})
    process.crawl(UsualSpider, sitemap_urls=[f"{sys.argv[1]}/sitemap.xml"])
    process.start()


if __name__ == "__main__":
    main()
