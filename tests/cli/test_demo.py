"""``make demo``, and the commands that it ends with."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.command import clean_environment
from tests.processes import SECONDS

_ROOT = Path(__file__).parents[2]
_DEMO = [sys.executable, "-m", "tests.sites.demo"]


def run_demo(folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = clean_environment() | {"PYTHONPATH": str(_ROOT)}
    return subprocess.run(
        _DEMO,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder the demo was run in, and what it said."""
    folder = tmp_path_factory.mktemp("shown")
    ended = run_demo(folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    return folder, ended.stdout


def test_the_demo_shows_versions_and_a_silent_edit(shown: tuple[Path, str]) -> None:
    _, said = shown
    assert len(re.findall(r"^\$ morgue crawl http://127\.0\.0\.1:\d+/", said, re.M)) == 3
    assert "Cirrane écarte sa patronne, Salomé Brandicourt" in said
    assert "Salomé Brandicourt revient à la tête de Cirrane" in said
    assert "[-84-]{+48+} 000 tonnes" in said
    assert "Traceback" not in said


def test_the_commands_that_the_demo_ends_with_work(shown: tuple[Path, str]) -> None:
    folder, said = shown
    assert str(folder / "demo") in said
    commands = re.findall(r"^\s+(\S*/morgue .*)$", said, re.M)
    assert len(commands) >= 3
    for command in commands:
        ended = subprocess.run(
            shlex.split(command),
            cwd=folder / "demo",
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), command
        assert ended.stdout, command


def test_the_demo_leaves_a_folder_alone_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "mine.txt").write_text("precious")
    ended = run_demo(tmp_path)
    assert ended.returncode != 0
    assert str(tmp_path / "demo") in ended.stderr
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["mine.txt"]
