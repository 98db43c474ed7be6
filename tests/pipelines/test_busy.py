"""The stages on a machine that has no time for a page: it is had later, and nothing is settled without it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from tests.archive.harness import BRIDGE, OTHER_TEXT, TEXT, Visitor, article, open_archive

from newsmorgue.archive.capture import Role
from newsmorgue.cleaning import Memory
from newsmorgue.errors import CleaningStopped
from newsmorgue.pipelines.items import CleanedPage, FetchedList
from newsmorgue.pipelines.lists import ListPipeline
from newsmorgue.pipelines.version import VersionPipeline
from newsmorgue.spiders.found import Found
from newsmorgue.spiders.lists import ListPage
from newsmorgue.stories.filing import EndVisit


class BusyPool:
    """Workers that never come to what they are given."""

    async def read_list(self, *_: Any) -> NoReturn:
        """See :class:`CleaningPool`."""
        raise CleaningStopped("it took more than 180 s on a busy machine")

    clean: Any = read_list


def is_tried_again(ended: object) -> bool:
    """Whether the visit failed, and when it is made again is said."""
    now = datetime.now(UTC)
    is_failure = isinstance(ended, EndVisit) and ended.outcome == "failed" and ended.retry_at is not None
    return is_failure and now < ended.retry_at < now + timedelta(hours=1)  # type: ignore[attr-defined]


def nothing(_: Iterator[Found]) -> Iterator[Any]:
    """No list was read."""
    raise AssertionError("read")


def test_a_list_is_read_again_soon_and_not_only_when_it_changes(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visit = visitor.visit(BRIDGE, visitor.record(BRIDGE, b"<rss>", role=Role.FEED))
    pipeline = ListPipeline(SimpleNamespace(), BusyPool())  # type: ignore[arg-type]
    page = FetchedList(visit, ListPage(Role.FEED, BRIDGE, b"<rss>", None, None), nothing)
    assert is_tried_again(asyncio.run(pipeline.process_item(page)))


def test_a_text_is_no_version_while_there_is_none_under_its_reading_to_compare_it_with(tmp_path: Path) -> None:
    visitor = Visitor(archive := open_archive(tmp_path))
    visitor.see(BRIDGE, TEXT)
    visit = visitor.visit(BRIDGE, visitor.record(BRIDGE, b"<p>"), "revisit")
    memory = Memory("demo", 2)  # what was learned of the site since: another reading
    page = CleanedPage(visit, article(BRIDGE, OTHER_TEXT), memory)
    pipeline = VersionPipeline(SimpleNamespace(archive=archive), BusyPool())  # type: ignore[arg-type]
    assert is_tried_again(asyncio.run(pipeline.process_item(page)))
