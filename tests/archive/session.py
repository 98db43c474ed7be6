"""A child process that does one whole run, and says on its standard output what it was told is durable.

Run as ``python -m tests.archive.session FOLDER``. It ends with the exit code that the command would have. Without a
folder it forks such a child for each folder that it reads from its standard input: see :class:`Sessions`.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

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
from newsmorgue.archive.recovery import seal_all
from newsmorgue.capture import recorder
from newsmorgue.errors import NewsmorgueError
from newsmorgue.stories.reading import find_story, show_at, story_versions

STEPS = (("new", BRIDGE, TEXT), ("edited", BRIDGE, TEXT + " More."), ("other", "https://news.example/b", OTHER_TEXT))


def main(folder: Path, say: Callable[[str], None], steps: int = len(STEPS)) -> None:
    """Up to three visits, each said once it is committed; then the sealing, said too.

    All in one thread: strace counts the calls of each for itself.
    """
    archive = open_archive(folder)
    visitor = Visitor(archive)
    for name, url, text in STEPS[:steps]:
        visitor.see(url, text, headline=name)
        say(name)
    visitor.end(sealed=False)
    seal_all(archive, visitor.now)
    say("sealed")


def _print(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a forked session ended: its exit code, or minus the signal; what it said was durable; a traceback, if any."""

    code: int
    said: frozenset[str]
    error: str


class Sessions:
    """A process that has all loaded and forks a session whenever it is asked to: in a tenth of the time."""

    def __init__(self, process: "subprocess.Popen[str]", empty: Path) -> None:
        self._process = process
        self._empty = empty

    def begin(self, folder: Path, steps: int = len(STEPS)) -> int:
        """Fork a session of so many steps in a folder, with an empty archive whose tables are made; its process id.

        It waits.
        """
        shutil.copytree(self._empty, folder, dirs_exist_ok=True)
        return int(self._ask(f"{steps} {folder}"))

    def let_go(self) -> None:
        """Let it run."""
        self._say("go")

    def end(self) -> Ended:
        """How it ended."""
        code, said, error = self._answer().split("\t")
        return Ended(int(code), frozenset(said.split()), error.replace("\\n", "\n"))

    def _ask(self, line: str) -> str:
        self._say(line)
        return self._answer()

    def _say(self, line: str) -> None:
        _pipe(self._process.stdin).write(f"{line}\n")
        _pipe(self._process.stdin).flush()

    def _answer(self) -> str:
        answer = _pipe(self._process.stdout).readline()
        if not answer:
            raise RuntimeError("the process that forks sessions has ended")
        return answer.rstrip("\n")


def _pipe(stream: "IO[str] | None") -> IO[str]:
    assert stream is not None
    return stream


@contextmanager
def sessions(empty: Path) -> Iterator[Sessions]:
    """The process, until the block ends. ``empty`` is a folder for an archive that every session begins with."""
    open_archive(empty).close()
    command = [sys.executable, "-m", "tests.archive.session"]
    root = Path(__file__).parents[2]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=root, **pipes) as process:  # type: ignore[call-overload]
        yield Sessions(process, empty)
        process.stdin.close()


def _serve() -> None:
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder), lambda what: None)  # so that all that is loaded late is there
    for line in sys.stdin:
        go, going = os.pipe()
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            os.close(going)
            os.read(go, 1)
            steps, _, name = line.strip().partition(" ")
            _end(Path(name), int(steps), theirs)
        theirs.close()
        _print(str(child))
        sys.stdin.readline()
        os.close(going)
        os.close(go)
        _, status = os.waitpid(child, 0)
        said, error = _heard(ours)
        _print(f"{os.waitstatus_to_exitcode(status)}\t{said}\t{error}")


def _end(folder: Path, steps: int, line: socket.socket) -> None:
    """Be a session. What it says is sent, not written: system calls that write are what is tampered with."""
    code = 1
    try:
        main(folder, lambda what: line.sendall(f"{what} ".encode()), steps)
        code = 0
    except NewsmorgueError as told:
        code = told.exit_code
    except Exception:  # noqa: BLE001  # whatever it is, the test that asked for this session is told of it
        line.sendall(b"\t" + traceback.format_exc().replace("\n", "\\n").encode())
    finally:
        os._exit(code)


def _heard(line: socket.socket) -> tuple[str, str]:
    parts = []
    while data := line.recv(1 << 16):
        parts.append(data)
    line.close()
    said, _, error = b"".join(parts).decode().partition("\t")
    return said, error


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
    if len(sys.argv) == 1:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the tests; they end this process
        _serve()
        sys.exit()
    try:
        main(Path(sys.argv[1]), _print)
    except NewsmorgueError as told:
        sys.exit(told.exit_code)
