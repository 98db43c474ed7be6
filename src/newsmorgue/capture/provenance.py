"""What a WARC says of the crawl it came from: of the run in its ``warcinfo``, of a visit in a ``metadata`` record.

Names of fields are those of WARC 1.1 (§6.2, §6.6) and Heritrix where they have one.
"""

from scrapy.settings import BaseSettings

from newsmorgue.archive.exchange import Exchange
from newsmorgue.archive.frontier import Claim
from newsmorgue.archive.warc import clean_url

# What shapes a crawl: the field, and Scrapy's setting.
_SHAPE = {
    "concurrent-requests-per-host": "CONCURRENT_REQUESTS_PER_DOMAIN",
    "concurrent-requests": "CONCURRENT_REQUESTS",
    "download-timeout-seconds": "DOWNLOAD_TIMEOUT",
    "download-maximum-bytes": "DOWNLOAD_MAXSIZE",
    "retry-times": "RETRY_TIMES",
}
_OURS = "newsmorgue.spiders.robots.RobotsTxtMiddleware"


def about_run(settings: BaseSettings, source: str, hostname: str, contact: str | None) -> dict[str, str]:
    """The fields of ``warcinfo``: who crawls, from where, under which name and rules, how fast."""
    obeys = settings.getbool("ROBOTSTXT_OBEY") or _OURS in settings.getdict("DOWNLOADER_MIDDLEWARES")
    fields = {
        "hostname": hostname,
        "operator": contact,
        "isPartOf": source,
        "robots": "obey" if obeys else "ignore",
        "http-header-user-agent": settings["USER_AGENT"],
        "download-delay-seconds": settings.get("NEWSMORGUE_DELAY", settings["DOWNLOAD_DELAY"]),
        **{field: settings[name] for field, name in _SHAPE.items()},
    }
    return {name: str(value) for name, value in fields.items() if value is not None}


def about_visit(claim: object, exchange: Exchange) -> dict[str, str]:
    """The fields of ``metadata``: where the URL was found and why it is fetched now; none where nobody named it.

    ``hopsFromSeed`` is left out: a list that names a story may itself have been found in many ways.
    """
    if not isinstance(claim, Claim) or "://" not in claim.found_in:
        return {}
    fields = {
        "via": clean_url(claim.found_in),
        "lastmod": claim.stated,
        "reason": claim.reason,
        "fetchTimeMs": exchange.milliseconds,
    }
    return {name: str(value) for name, value in fields.items() if value is not None}
