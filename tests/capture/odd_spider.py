"""A foreign spider under the add-on: ``python -m tests.capture.odd_spider JOB`` makes the job's requests in order.

JOB is JSON: ``requests`` (keyword arguments of Scrapy's Request) and ``settings``. Prints what each came to.
"""

import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Response
from twisted.python.failure import Failure

SETTINGS = {
    "ADDONS": {"newsmorgue.pipelines.addon.NewsmorgueAddon": 500},
    "LOG_LEVEL": "WARNING",
    "RETRY_TIMES": 1,
    # Scrapy's jar asks the network for the list of public suffixes.
    "COOKIES_ENABLED": False,
}


class OddSpider(Spider):
    """Asks for one URL after the other."""

    name = "odd"
    custom_settings = {"CONCURRENT_REQUESTS": 1}  # noqa: RUF012

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "OddSpider":
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.stop, signals.bytes_received)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        for number, arguments in enumerate(self.requests):  # type: ignore[attr-defined]
            request = Request(**arguments, priority=-number, dont_filter=True)
            yield request.replace(callback=self.parse, errback=self.fail)

    def stop(self, data: bytes, request: Request, spider: Spider) -> None:
        if request.meta.get("stop"):
            raise StopDownload(fail=False)

    def parse(self, response: Response, **_: Any) -> None:
        sys.stdout.write(f"{response.url} {response.status}\n")

    def fail(self, failure: Failure) -> None:
        request: Request = failure.request  # type: ignore[attr-defined]
        sys.stdout.write(f"{request.url} {type(failure.value).__name__}\n")


def main() -> None:
    """Do the job on the command line."""
    job = json.loads(sys.argv[1])
    process = AsyncCrawlerProcess(SETTINGS | job["settings"])
    typed = [request["url"] for request in job["requests"]]
    process.crawl(OddSpider, requests=job["requests"], typed_urls=typed, start_urls=typed[:1])
    process.start()


if __name__ == "__main__":
    main()
