"""What lists and pages name goes on the frontier: the intent of those who only find URLs."""

from dataclasses import dataclass

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.capture import PAGE_ROLES, Role
from newsmorgue.archive.events import AliasAdded, Discovered
from newsmorgue.archive.frontier import make_due, role_of
from newsmorgue.archive.ledger import Ledger
from newsmorgue.archive.statements import find
from newsmorgue.stories.identity import ReadArticle, story_at
from newsmorgue.urls import address_key, without_tracking

_M = schema.mentions.c
_KNOWN_MENTIONS = sa.select(_M.key, _M.given, _M.stated).where(
    _M.source == sa.bindparam("source"),
    _M.found_in == sa.bindparam("found_in"),
    _M.key.in_(sa.bindparam("keys", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One URL found in a list or page: its spelling there, the date stated there, what it is taken for."""

    url: str
    role: Role
    stated: str | None = None


@dataclass(frozen=True, slots=True)
class NextPage:
    """The next page of a list, the ``number``-th after its first: wanted where the list has a story that was unknown.

    With ``whatever`` it is wanted in any case.
    """

    page: Finding
    number: int
    whatever: bool = False


@dataclass(frozen=True, slots=True)
class Discover:
    """URLs found in one place. Those known from there with the same date are passed over."""

    source: str
    found_in: str
    findings: tuple[Finding, ...]
    hops: int = 0
    then: NextPage | None = None

    def settle(self, ledger: Ledger, read: ReadArticle) -> str | None:
        """See :class:`newsmorgue.stories.filing.Intent`."""
        keyed = {address_key(finding.url): finding for finding in self.findings}
        known = self._known(ledger.connection, list(keyed))
        goes_on = self.then is not None and (self.then.whatever or self._has_unknown(ledger.connection, keyed))
        for key, finding in keyed.items():
            if known.get(key) != (finding.url, finding.stated):
                self._found(ledger, key, finding)
        if self.then is not None and goes_on:
            self._go_on(ledger, self.then)
        return None

    def _has_unknown(self, connection: sa.Connection, keyed: dict[str, Finding]) -> bool:
        pages = (key for key, finding in keyed.items() if finding.role in PAGE_ROLES)
        return any(role_of(connection, self.source, key) is None for key in pages)

    def _go_on(self, ledger: Ledger, then: NextPage) -> None:
        key, url = address_key(then.page.url), then.page.url
        if role_of(ledger.connection, self.source, key) is None:
            ledger.emit(Discovered(self.source, url, key, then.page.role, self.found_in, url, hops=then.number))
        else:
            make_due(ledger.connection, self.source, [key], ledger.now, "seed")

    def _known(self, connection: sa.Connection, keys: list[str]) -> dict[str, tuple[str, str | None]]:
        values = {"source": self.source, "found_in": self.found_in, "keys": keys}
        return {row.key: (row.given, row.stated) for row in connection.execute(_KNOWN_MENTIONS, values)}

    def _found(self, ledger: Ledger, key: str, finding: Finding) -> None:
        url = without_tracking(finding.url)
        ledger.emit(
            Discovered(self.source, url, key, finding.role, self.found_in, finding.url, finding.stated, self.hops)
        )
        story = story_at(ledger.connection, key)
        if story and find(ledger.connection, schema.aliases, ("url",), url=finding.url) is None:
            ledger.emit(AliasAdded(finding.url, key, story, "mentioned"))
