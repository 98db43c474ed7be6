"""Scrapy's settings for newsmorgue's own crawls. Each departure from Scrapy's default says why."""

from typing import Any

from scrapy.settings import default_settings

from newsmorgue.settings.browser import launch_options

BOT_NAME = "newsmorgue"
SPIDER_MODULES = ["newsmorgue.spiders.news"]
NEWSPIDER_MODULE = "newsmorgue.spiders"

# -- What is recorded ------------------------------------------------------------------------------------------
# The wire tap instead of Scrapy's handler; every other scheme is off: a link must not read a local file.
DOWNLOAD_HANDLERS: dict[str, Any] = {
    "http": "newsmorgue.capture.tap.TapDownloadHandler",
    "https": "newsmorgue.capture.tap.TapDownloadHandler",
    "file": None,
    "data": None,
    "ftp": None,
    "s3": None,
}
EXTENSIONS: dict[str, Any] = {
    "newsmorgue.capture.extension.CaptureExtension": 0,
}
# What is switched off below is not even imported: it brings aiohttp's web server, a tenth of what a start costs.
_OFF = ("scrapy.extensions.remote_control.RemoteControl", "scrapy.extensions.telnet.TelnetConsole")
EXTENSIONS_BASE = {name: order for name, order in default_settings.EXTENSIONS_BASE.items() if name not in _OFF}
ITEM_PIPELINES = {
    "newsmorgue.pipelines.lists.ListPipeline": 50,
    "newsmorgue.pipelines.render.RenderPipeline": 90,
    "newsmorgue.pipelines.clean.CleanPipeline": 100,
    "newsmorgue.pipelines.version.VersionPipeline": 200,
    "newsmorgue.pipelines.file.FilePipeline": 300,
}
# An answer out of a cache is no capture.
HTTPCACHE_ENABLED = False

# -- Safety ----------------------------------------------------------------------------------------------------
# A proxy would resolve names where the guard cannot see it, and the tap would record the proxy's connection.
HTTPPROXY_ENABLED = False
# Only public addresses, but for what the operator typed.
TWISTED_DNS_RESOLVER = "newsmorgue.capture.guard.GuardedResolver"
# Both listen on a port and run the code they are sent.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
# Scrapy's 1 GiB lets a bomb take 1.9 GB; no news page comes near 16 MiB.
DOWNLOAD_MAXSIZE = 16 << 20
DOWNLOAD_WARNSIZE = 0
# Cookies would tie the crawl's requests together, and show pages that no other reader gets.
COOKIES_ENABLED = False

# -- Who follows, decodes and judges ---------------------------------------------------------------------------
# Redirects go over the frontier, which makes each hop an alias; Scrapy's dupefilter would lose one to a seen URL.
REDIRECT_ENABLED = False
# Costs a parse of every page, to follow what no archive should.
METAREFRESH_ENABLED = False
# The entity is kept, digested and sent to the cleaning process as it was received.
COMPRESSION_ENABLED = False
# Every status is an answer with an outcome.
HTTPERROR_ALLOW_ALL = True
# newsmorgue's own middleware reads robots.txt by RFC 9309; Scrapy's fetches on after errors.
ROBOTSTXT_OBEY = False
DOWNLOADER_MIDDLEWARES: dict[str, Any] = {
    "newsmorgue.spiders.robots.RobotsTxtMiddleware": 100,
    "newsmorgue.spiders.reservations.ReservationsMiddleware": 110,
    # Nearest to the wire: what others send once more takes a turn too.
    "newsmorgue.spiders.budget.BudgetMiddleware": 950,
}
# One more try at once for a broken connection or a server's hiccup; 429 and 503 ask to be left alone for a while.
RETRY_TIMES = 1
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]
# Every failure is an outcome, which the summary tells.
RETRY_GIVE_UP_LOG_LEVEL = "DEBUG"
# News sites do not gain by a Referer, and it would tell one page's reader to another.
REFERER_ENABLED = False

# -- Manners ---------------------------------------------------------------------------------------------------
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    # What this crawler can undo, and no more.
    "Accept-Encoding": "gzip, deflate",
}
# A host's pace is kept in the catalogue, for all sources and processes that ask it: newsmorgue.spiders.budget.
DOWNLOAD_DELAY = 0
CONCURRENT_REQUESTS_PER_DOMAIN = 4
CONCURRENT_REQUESTS = 32
DOWNLOAD_TIMEOUT = 60

# -- The browser of sources with render = true (scrapy-playwright's settings) -------------------------------------
# Without a network of its own, whatever a page tries.
PLAYWRIGHT_LAUNCH_OPTIONS = launch_options()
# As long as a page may take to load; Playwright's own 30 s, said here because it is counted on.
PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT = 30_000
# For a page with all that it asks for; one whose script never ends is given up then.
NEWSMORGUE_RENDER_SECONDS = 45
# A page is closed with all that it stored, in a context of its own.
PLAYWRIGHT_MAX_PAGES_PER_CONTEXT = 1

# -- Speed -----------------------------------------------------------------------------------------------------
# Scrapy starts this many tasks for every response, however many items it has: 100 cost a third of the crawl's CPU.
CONCURRENT_ITEMS = 4
# The summary at the end is newsmorgue's own.
LOG_LEVEL = "WARNING"
LOGSTATS_INTERVAL = 0.0
