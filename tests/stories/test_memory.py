"""What a source repeats, in the archive: when its stories are looked at, what is kept, and that it makes no version."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.archive.harness import HOME, START, Visitor, article, open_archive, rebuilt, rows

from newsmorgue.archive import schema
from newsmorgue.archive.archive import Archive
from newsmorgue.capture.runs import BeginRun, EndRun
from newsmorgue.cleaning import READING, Block, BlockKind, Memory, reading
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.stories.filing import FilePage, Renewal
from newsmorgue.stories.memory import FIRST_LOOK, Standing, standing
from newsmorgue.stories.reading import find_story, story_versions

LABEL = "Reported from the newsroom of the Gazette"


@pytest.fixture
def visitor(tmp_path: Path, catalogue_url: str) -> Visitor:
    return Visitor(open_archive(tmp_path, catalogue=catalogue_url))


def url(number: int) -> str:
    return f"{HOME}2026/story-{number}"


def body(number: int, *more: str) -> tuple[Block, ...]:
    sentences = (f"The council of district {number} met on day {day}, and {number + day} came." for day in range(3))
    return tuple(Block(BlockKind.PARAGRAPH, text) for text in (*sentences, *more))


def tell(visitor: Visitor, numbers: range, *more: str) -> None:
    """New stories that end with these lines."""
    for number in numbers:
        capture = visitor.record(url(number), f"<html>{number}".encode())
        told = body(number, *more)
        text = "\n\n".join(block.text for block in told)
        page = article(url(number), text, headline=f"Story {number}", body=told)
        assert visitor.settle(FilePage(visitor.visit(url(number), capture), page)) == "new_story"


def stands(archive: Archive, source: str = "demo") -> Standing:
    with archive.catalogue.read() as connection:
        return standing(connection, source)


def test_a_source_is_looked_at_when_it_has_some_stories(visitor: Visitor) -> None:
    tell(visitor, range(FIRST_LOOK - 1), LABEL)
    assert not visitor.recorder.must_learn
    visitor.recorder.learn(visitor.run)
    assert stands(visitor.archive).memory == Memory("demo")
    tell(visitor, range(FIRST_LOOK - 1, FIRST_LOOK), LABEL)
    assert visitor.recorder.must_learn
    visitor.recorder.learn(visitor.run)
    known = visitor.recorder.memory
    assert (known.source, known.number, [line.text for line in known.lines]) == ("demo", 1, [LABEL.lower()])
    assert stands(visitor.archive) == Standing(known, FIRST_LOOK, 2 * FIRST_LOOK)
    assert not visitor.recorder.must_learn


def test_looks_are_ever_rarer_and_each_snapshot_stays(visitor: Visitor) -> None:
    looks = []
    for number in range(70):
        tell(visitor, range(number, number + 1), "First label" if number < 10 else "Second label")
        if visitor.recorder.must_learn:
            visitor.recorder.learn(visitor.run)
            looks.append((number + 1, visitor.recorder.memory.number))
    assert looks == [(8, 1), (16, 2), (32, 2), (64, 2)]
    with visitor.archive.catalogue.read() as connection:
        kept = connection.execute(schema.memory.select().order_by(schema.memory.c.number)).all()
    assert [(row.number, row.stories) for row in kept] == [(1, 8), (2, 64)]
    assert "second label" not in kept[0].lines
    assert "second label" in kept[1].lines
    assert "first label" in kept[1].lines


def test_a_source_that_repeats_nothing_keeps_its_reading(visitor: Visitor) -> None:
    tell(visitor, range(FIRST_LOOK))
    visitor.recorder.learn(visitor.run)
    assert stands(visitor.archive) == Standing(Memory("demo"), FIRST_LOOK, 2 * FIRST_LOOK)
    assert reading(visitor.recorder.memory) == READING


def test_nothing_is_learned_while_another_run_of_the_source_is_under_way(visitor: Visitor) -> None:
    save = BeginRun("save-1", SourceConfiguration("demo", HOME), "save", "another-host")
    tell(visitor, range(FIRST_LOOK), LABEL)
    visitor.settle(save)
    visitor.recorder.learn(visitor.run)
    assert stands(visitor.archive).memory == Memory("demo")
    assert not visitor.recorder.must_learn
    visitor.settle(EndRun("save-1", "finished", {}))
    visitor.end()
    following = Visitor(visitor.archive, now=visitor.now, run="run-2")
    following.recorder.learn("run-2")
    assert stands(visitor.archive).memory.number == 1


def test_a_run_that_was_killed_long_ago_hinders_nothing(visitor: Visitor) -> None:
    visitor.settle(BeginRun("save-1", SourceConfiguration("demo", HOME), "save", "another-host"))
    visitor.now += timedelta(days=8)
    tell(visitor, range(FIRST_LOOK), LABEL)
    visitor.recorder.learn(visitor.run)
    assert stands(visitor.archive).memory.number == 1


def test_learning_makes_no_version(visitor: Visitor) -> None:
    tell(visitor, range(FIRST_LOOK), LABEL)
    visitor.recorder.learn(visitor.run)
    now = reading(visitor.recorder.memory)
    (version,) = story_versions(visitor.archive, find_story(visitor.archive, url(0)))
    capture = visitor.record(url(0), b"<html>0")
    text = "\n\n".join(block.text for block in body(0))
    renewal = Renewal(version.id, article(url(0), text, headline="Story 0"), capture.warc, capture.offset)
    again = {"headline": "Story 0", "reading": now, "renewals": (renewal,)}
    assert visitor.file(url(0), capture, text, reason="recheck", **again) == "unchanged"  # type: ignore[arg-type]
    (version,) = story_versions(visitor.archive, find_story(visitor.archive, url(0)))
    assert version.reading == now
    assert visitor.see(url(0), text + " More.", reason="recheck", headline="Story 0", reading=now) == "new_version"


def test_sources_have_memories_of_their_own(visitor: Visitor) -> None:
    tell(visitor, range(FIRST_LOOK), LABEL)
    visitor.recorder.learn(visitor.run)
    assert stands(visitor.archive, "other") == Standing(Memory("other"), 0, FIRST_LOOK)


def test_a_reindex_gives_it_back_and_the_next_run_goes_on(visitor: Visitor, tmp_path: Path) -> None:
    tell(visitor, range(FIRST_LOOK), LABEL)
    visitor.recorder.learn(visitor.run)
    visitor.end()
    fresh = rebuilt(visitor.archive, f"sqlite:///{tmp_path / 'rebuilt.sqlite'}")
    assert rows(fresh) == rows(visitor.archive)
    following = Visitor(fresh, now=START + timedelta(days=1), run="run-2")
    assert following.recorder.memory == visitor.recorder.memory
    tell(following, range(FIRST_LOOK, 2 * FIRST_LOOK), "Another label")
    following.recorder.learn("run-2")
    assert following.recorder.memory.number == 2
