"""The ``morgue`` command as people run it: a process of its own, in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("morgue")
_SECONDS = 90
# What a developer's own shell may say that would change what is printed or where it goes.
_NOT_PASSED_ON = ("MORGUE_", "AWS_", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_", "SCRAPY_")


def clean_environment() -> dict[str, str]:
    """The environment without anything that newsmorgue or its output would listen to."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: bytes
    err: str

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.stdout.decode()

    @property
    def documents(self) -> list[dict[str, Any]]:
        """Standard output as JSON documents, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Morgue:
    """The command in a folder. Whatever it is asked, it never shows a traceback."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str) -> Ended:
        """Run it to its end."""
        return finished(self.start(*arguments))

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start it at the head of a process group of its own."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            cwd=self.folder,
            env=clean_environment() | dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints with ``--json``; it must succeed."""
        ended = self(*arguments, "--json")
        assert ended.code == 0, ended.err
        return ended.documents


def finished(process: "subprocess.Popen[bytes]") -> Ended:
    """A started command, once it has ended. Fails where it hangs or shows a traceback."""
    with process:
        try:
            out, err = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    ended = Ended(process.returncode, out, err.decode())
    assert "Traceback" not in ended.err, ended.err
    return ended
