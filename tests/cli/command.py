"""The ``morgue`` command as people run it: a process of its own, in a folder of its own."""

import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.environment import plain

from newsmorgue import cli

PROGRAM = Path(sys.executable).with_name("morgue")
_SECONDS = 240  # a machine that does much else is slow, and no test fails for that


def clean_environment() -> dict[str, str]:
    """The environment without anything that newsmorgue or its output would listen to."""
    return plain(os.environ)


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

    def ask(self, *arguments: str) -> Ended:
        """A command that crawls nothing, run within this process: it says the same, and need not start first."""
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
        environment = clean_environment() | dict(self.environment)
        with ExitStack() as stack:
            stack.enter_context(chdir(self.folder))
            stack.enter_context(patch.dict(os.environ, environment, clear=True))
            stack.enter_context(patch.object(sys, "argv", [str(PROGRAM), *arguments]))
            stack.enter_context(redirect_stdout(streams[0]))
            stack.enter_context(redirect_stderr(streams[1]))
            code = _code_of(cli.main)
        for stream in streams:
            stream.flush()
        told, said = (stream.buffer.getvalue() for stream in streams)
        return Ended(code, told, said.decode())

    def documents(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints with ``--json``; it must succeed."""
        ended = self.ask(*arguments, "--json")
        assert ended.code == 0, ended.err
        return ended.documents


def on_terminal(folder: Path, columns: int, *arguments: str) -> list[str]:
    """What the command shows on a terminal, without its colours."""
    ours, theirs = pty.openpty()
    environment = clean_environment() | {"COLUMNS": str(columns)}
    with subprocess.Popen([PROGRAM, *arguments], cwd=folder, env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = bytearray()
        try:
            while data := os.read(ours, 4096):
                shown += data
        except OSError:
            pass  # the terminal's other end is closed: all is read
        process.wait(_SECONDS)
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).split("\r\n")


def _code_of(command: Callable[[], object]) -> int:
    """What a command would tell the shell."""
    try:
        command()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


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
