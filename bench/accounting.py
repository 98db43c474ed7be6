"""What a command costs: the CPU time of all processes that come of it, and the memory they hold at once.

``RUSAGE_CHILDREN`` alone is not enough. A process's time reaches its parent's account only when the parent waits for
it; newsmorgue's cleaning processes are children of a fork server, which does not outlive the command. So each command
runs under a process of its own, which Linux makes the parent of every orphan below it (``PR_SET_CHILD_SUBREAPER``)
and which waits until none is left. Linux only.
"""

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_SAMPLE_SECONDS = 0.05
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu`` (user and system) and ``wall`` in seconds; ``memory`` in bytes: the largest sum, over all processes at
    one moment, of their proportional set size, in which a page that several share counts once.
    """

    exit_code: int
    cpu: float
    wall: float
    memory: int


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float = 600) -> Usage:
    """Run a command in a folder, to the end of all its processes; its output goes to ``folder/output.txt``.

    Raises TimeoutError when it takes longer than ``seconds``, and has killed every process of it by then.
    """
    with tempfile.TemporaryDirectory() as scratch, (folder / "output.txt").open("wb") as output:
        report = Path(scratch) / "usage.json"
        accountant = [sys.executable, "-m", "bench.accounting", str(report), str(seconds), *command]
        variables = {**environment, "PYTHONPATH": str(ROOT)}
        subprocess.run(accountant, cwd=folder, env=variables, stdout=output, stderr=output, check=True)
        usage = Usage(**json.loads(report.read_text()))
    if usage.wall >= seconds:
        raise TimeoutError(f"{' '.join(command)}: not done in {seconds:.0f} s; see {folder / 'output.txt'}")
    return usage


def _account(command: Sequence[str], seconds: float) -> Usage:
    """In the accountant: this process must have had no other children."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    began = time.monotonic()
    first = os.posix_spawnp(command[0], list(command), os.environ)
    codes: dict[int, int] = {}
    memory = 0
    while _reap(codes):
        memory = max(memory, sum(map(_proportional_set_size, _descendants(os.getpid()))))
        if time.monotonic() - began >= seconds:
            _kill_all()
        time.sleep(_SAMPLE_SECONDS)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Usage(codes[first], used.ru_utime + used.ru_stime, time.monotonic() - began, memory)


def _reap(codes: dict[int, int]) -> bool:
    """Wait for whoever has ended, noting exit codes; whether any process is left."""
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            codes[ended[0]] = os.waitstatus_to_exitcode(ended[1])
    except ChildProcessError:
        return False
    return True


def _kill_all() -> None:
    for process in _descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _descendants(root: int) -> Iterator[int]:
    """All processes below one, from one look at ``/proc``."""
    children = defaultdict(list)
    for process, parent in _parents():
        children[parent].append(process)
    pending = [root]
    while pending:
        found = children[pending.pop()]
        yield from found
        pending += found


def _parents() -> Iterator[tuple[int, int]]:
    """Every process and its parent: the fourth field of ``stat``, behind a name in brackets (proc(5))."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = (folder / "stat").read_bytes()
            yield int(folder.name), int(stat.rpartition(b")")[2].split()[1])


def _proportional_set_size(process: int) -> int:
    """In bytes; 0 for a process that has just ended."""
    with suppress(OSError):
        found = _PSS.search(Path(f"/proc/{process}/smaps_rollup").read_bytes())
        return int(found[1]) * 1024 if found else 0
    return 0


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asdict(_account(sys.argv[3:], float(sys.argv[2])))))
