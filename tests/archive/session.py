"""A child process that does one whole run, and says on its standard output what it was told is durable.

Run as ``python -m tests.archive.session FOLDER``. It ends with the exit code that the command would have.
"""

import sys
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from tests.archive.harness import (
    BRIDGE,
    OTHER_TEXT,
    START,
    TEXT,
    Visitor,
    captures,
    open_archive,
    problems,
    rebuilt,
    rows,
)

from newsmorgue.archive.capture import UNCLEANED
from newsmorgue.capture import recorder
from newsmorgue.errors import NewsmorgueError
from newsmorgue.stories.reading import find_story, show_at, story_versions

STEPS = (("new", BRIDGE, TEXT), ("edited", BRIDGE, TEXT + " More."), ("other", "https://news.example/b", OTHER_TEXT))


def main(folder: Path) -> None:
    """Three visits, each said once it is committed; then the sealing, said too."""
    visitor = Visitor(open_archive(folder))
    for name, url, text in STEPS:
        visitor.see(url, text, headline=name)
        _say(name)
    visitor.end()
    _say("sealed")


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def check_session(folder: Path, said: Collection[str]) -> None:
    """What a session said is durable is there, the next run goes on, and then all is as it should be."""
    archive = open_archive(folder)
    visitor = Visitor(archive, now=START + timedelta(hours=1), run="run-2")
    for name, url, text in STEPS:
        if name in said:
            story = find_story(archive, url)
            numbers = range(1, len(story_versions(archive, story)) + 1)
            assert (name, text) in [_version(visitor, story, number) for number in numbers]
    for capture in captures(archive):
        if capture.state == UNCLEANED:
            visitor.file(capture.url, capture)
    visitor.see(BRIDGE)
    visitor.end()
    assert problems(archive) == []
    assert archive.spool.names() == []
    assert rows(rebuilt(archive, f"sqlite:///{folder / 'rebuilt.sqlite'}")) == rows(archive)


def _version(visitor: Visitor, story: str, number: int) -> tuple[str | None, str]:
    rows = story_versions(visitor.archive, story)
    shown = show_at(visitor.archive, story, rows[number - 1].first_seen)
    return shown.article.headline, shown.article.text


if __name__ == "__main__":
    recorder.PATIENCE = 0.2
    try:
        main(Path(sys.argv[1]))
    except NewsmorgueError as told:
        sys.exit(told.exit_code)
