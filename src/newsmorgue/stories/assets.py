"""Assets on the frontier: what the pages of stories show beside their text.

An asset's key is its exact URL, where a page's is what the spellings of its address share: a replay asks for the very
URL that the page names, and no page is ever taken for an asset or an asset for a page.
"""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import Role
from newsmorgue.archive.events import Discovered
from newsmorgue.archive.frontier import role_of
from newsmorgue.archive.ledger import Ledger
from newsmorgue.stories.identity import ReadArticle
from newsmorgue.times import microseconds
from newsmorgue.urls import address_key

# Files of a page are rarely changed under the same address: what is to be seen anew gets a new one.
FRESH = timedelta(days=7)
_C = schema.urls.c
_SEEN = sa.select(_C.key, _C.outcome_at).where(
    _C.source == sa.bindparam("source"), _C.key.in_(sa.bindparam("keys", expanding=True))
)


@dataclass(frozen=True, slots=True)
class DiscoverAssets:
    """Assets that one page or style sheet names.

    Those known are passed over; with ``again``, those seen last longer than a week ago are looked at once more. What is
    known as a page of the site is no file of another, whatever a template says.
    """

    source: str
    found_in: str
    urls: tuple[str, ...]
    hops: int = 0
    again: bool = False

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        for url in self._due(ledger) if self.urls else ():
            ledger.emit(Discovered(self.source, url, url, Role.ASSET, self.found_in, url, hops=self.hops))
        return None

    def _due(self, ledger: Ledger) -> list[str]:
        rows = ledger.connection.execute(_SEEN, {"source": self.source, "keys": self.urls})
        seen = {row.key: row.outcome_at for row in rows}
        stale = microseconds(ledger.now - FRESH)
        old = {key for key, at in seen.items() if self.again and at is not None and at < stale}
        return [url for url in self.urls if (url not in seen and not self._is_page(ledger, url)) or url in old]

    def _is_page(self, ledger: Ledger, url: str) -> bool:
        return role_of(ledger.connection, self.source, address_key(url)) not in (None, Role.ASSET)
