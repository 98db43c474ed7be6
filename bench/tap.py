"""What the wire tap costs: CPU a page beside Scrapy's own download handler.

``python -m bench.tap [--pages 300] [--rounds 3] [--repeat 5] [--check]``. One spider fetches the same pages of a site
on 127.0.0.1 with either handler, by turns, each run in a process of its own; the tap hands its exchanges to a recorder
that drops them. Counted is the CPU time (user and system) from the spider's opening to its closing. The ratio is the
median of the rounds' ratios.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.http import Response
from tests.sites.large import build
from tests.sites.static import serve_folder

from bench.bare import SETTINGS
from newsmorgue.archive.exchange import Exchange
from newsmorgue.capture.extension import CaptureExtension

AIM = 1.15
"""CPU a page with the tap, as a multiple of that without."""
_ROOT = Path(__file__).parents[1]
_TAP = "newsmorgue.capture.tap.TapDownloadHandler"
_HANDLERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tap": {
        "DOWNLOAD_HANDLERS": {"http": _TAP, "https": _TAP},
        "EXTENSIONS": {"bench.tap.DroppingCapture": 0},
    },
}


class DroppingCapture(CaptureExtension):
    """Counts the exchanges it is handed, and keeps none."""

    def __init__(self) -> None:
        self.exchanges = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's way to make an extension."""
        return cls()

    def refuse_forbidden(self, request: Request) -> None:
        """The guard's cost is not the tap's."""

    def record(self, request: Request, exchange: Exchange) -> None:
        """Count it."""
        self.exchanges += 1


class PlainSpider(Spider):
    """Fetches what it is told, as often as it is told, and does nothing with it."""

    name = "plain"
    pages = 0
    cpu = 0.0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Also begins to count when all is set up."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.begin, signals.spider_opened)
        return spider

    def begin(self) -> None:
        """From here on CPU time counts."""
        self.cpu = -_cpu()

    async def start(self) -> AsyncIterator[Any]:
        """The pages, round after round."""
        for _ in range(self.repeat):  # type: ignore[attr-defined]
            for url in self.urls:  # type: ignore[attr-defined]
                yield Request(url, dont_filter=True)

    def parse(self, response: Response, **_: Any) -> None:
        """A page: there is nothing to do with it."""
        self.pages += len(response.body) > 0

    def closed(self, reason: str) -> None:
        """Say what it took."""
        capture = self.crawler.get_extension(DroppingCapture)
        taped = capture.exchanges if capture else self.pages
        sys.stdout.write(json.dumps({"cpu": self.cpu + _cpu(), "pages": min(self.pages, taped)}))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run(handler: str, urls: list[str], repeat: int) -> float:
    """CPU milliseconds a page, measured in another process. Raises RuntimeError where the tap or spider missed one."""
    job = json.dumps({"handler": handler, "urls": urls, "repeat": repeat})
    command = [sys.executable, "-m", "bench.tap", "--job"]
    done = subprocess.run(command, cwd=_ROOT, input=job, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    if said["pages"] != len(urls) * repeat:
        raise RuntimeError(f"{handler}: {said['pages']} pages of {len(urls) * repeat}\n{done.stderr}")
    return float(said["cpu"] / said["pages"] * 1000)


def _do_job() -> None:
    job = json.load(sys.stdin)
    process = AsyncCrawlerProcess(SETTINGS | _HANDLERS[job["handler"]])
    process.crawl(PlainSpider, urls=job["urls"], repeat=job["repeat"])
    process.start()


def compare(pages: int, repeat: int, rounds: int) -> list[dict[str, float]]:
    """CPU milliseconds a page by handler, of each round."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [page.path for page in build(Path(folder), pages)]
        with serve_folder(Path(folder)) as url:
            urls = [url + path for path in paths]
            return [{handler: run(handler, urls, repeat) for handler in _HANDLERS} for _ in range(rounds)]


def main() -> None:
    """Compare, and show; with ``--check`` fail where the aim is missed."""
    options = _options()
    if options.job:
        _do_job()
        return
    rounds = compare(options.pages, options.repeat, options.rounds)
    for took in rounds:
        sys.stdout.write(f"plain {took['plain']:.2f} ms, tap {took['tap']:.2f} ms of CPU a page\n")
    ratio = statistics.median(took["tap"] / took["plain"] for took in rounds)
    sys.stdout.write(f"The tap takes {ratio:.3f} × the CPU of Scrapy's own handler; the aim is at most {AIM}.\n")
    if options.check and ratio > AIM:
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.tap", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--repeat", type=int, default=5, help="how often each page is fetched in a run")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each of one run with either handler")
    parser.add_argument("--check", action="store_true", help=f"exit with 1 above {AIM} times the plain handler")
    parser.add_argument("--job", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
