"""The benchmark counts what it says it counts: all CPU time, all memory, all pages."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bench.accounting import ROOT, Usage, measure
from bench.contenders import CONTENDERS, NEWSMORGUE, USUAL, Contender
from bench.crawl import Run, crawl, large_site, ratio

from tests.sites.large import build
from tests.sites.static import serve_folder

PAGES = 6
BURN = "import time\nwhile time.process_time() < 0.5: pass\n"
FORK_SERVER = """
import multiprocessing
from time import process_time

def burn():
    while process_time() < 0.5: pass

if __name__ == "__main__":
    multiprocessing.get_context("forkserver").Process(target=burn).start()
"""
ORPHAN = """
import os, sys
if os.fork() == 0:
    os.setsid()
    os.execv(sys.executable, [sys.executable, "burn.py"])
"""
HOLD = """
import subprocess, sys, time
if len(sys.argv) == 1:
    subprocess.run([sys.executable, __file__, "child"])
else:
    held = b"x" * 80_000_000
    time.sleep(2)
"""


def run(folder: Path, program: str, seconds: float = 240) -> tuple[float, int, float]:
    """The CPU seconds, memory and wall seconds of a Python program."""
    (folder / "program.py").write_text(program)
    (folder / "burn.py").write_text(BURN)
    usage = measure([sys.executable, "program.py"], folder, os.environ, seconds)
    assert usage.exit_code == 0
    return usage.cpu, usage.memory, usage.wall


def test_cpu_of_a_fork_servers_child_is_counted(tmp_path: Path) -> None:
    cpu, _, _ = run(tmp_path, FORK_SERVER)
    assert 0.5 <= cpu < 1.5


def test_cpu_of_a_process_that_outlives_the_command_is_counted(tmp_path: Path) -> None:
    cpu, _, wall = run(tmp_path, ORPHAN)
    assert 0.5 <= cpu < 1.0
    assert wall >= 0.5


def test_sleeping_is_not_cpu(tmp_path: Path) -> None:
    cpu, _, wall = run(tmp_path, "import time; time.sleep(0.6)")
    assert cpu < 0.3
    assert wall >= 0.6


def test_memory_is_that_of_all_processes(tmp_path: Path) -> None:
    _, memory, _ = run(tmp_path, HOLD)
    assert 80e6 <= memory < 150e6


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    endless = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    with pytest.raises(TimeoutError, match=r"program\.py: not done in 1 s"):
        run(tmp_path, endless, seconds=1)
    assert [path for path in Path("/proc").glob("[0-9]*/cwd") if _leads_to(path, tmp_path)] == []


def _leads_to(cwd: Path, folder: Path) -> bool:
    """Not that of a process that has ended, or is another user's."""
    with suppress(OSError):
        return cwd.readlink() == folder.resolve()
    return False


@pytest.fixture(scope="module")
def large_url() -> Iterator[str]:
    with large_site(PAGES) as url:
        yield url


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_each_contender_gets_every_page(contender: Contender, large_url: str) -> None:
    ran = crawl(contender, large_url, PAGES)
    assert ran.pages == PAGES
    assert ran.usage.cpu > 0.1
    assert ran.usage.memory > 20e6
    assert ran.speed == pytest.approx(PAGES / ran.usage.cpu)


def test_a_page_that_is_missing_is_no_result(tmp_path: Path) -> None:
    build(tmp_path, PAGES)
    lost = next(path for path in (tmp_path / "site").glob("*/*-00003/index.html"))
    lost.unlink()
    with serve_folder(tmp_path) as url, pytest.raises(RuntimeError, match=f"{PAGES - 1} pages of {PAGES}"):
        crawl(USUAL, url, PAGES)


def test_a_ratio_is_the_median_of_the_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(usual: float, morgue: float) -> dict[str, Run]:
        return {
            USUAL.name: Run(100, Usage(0, usual, 1.0, 1)),
            NEWSMORGUE.name: Run(100, Usage(0, morgue, 1.0, 1)),
        }

    rounds = [one(usual=4.0, morgue=2.0), one(usual=9.0, morgue=3.0), one(usual=2.0, morgue=2.0)]
    assert ratio(rounds, NEWSMORGUE, USUAL) == 2.0


def test_the_command_stands_in_the_makefile() -> None:
    assert "python -m bench.crawl" in (ROOT / "Makefile").read_text()
